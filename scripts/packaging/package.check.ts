import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { extractAll, listPackage } from '@electron/asar'
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPackage } from './build-package.ts'

const run = promisify(execFile)
const supported = process.platform === 'linux'
const PLATFORM = `${process.platform}-${process.arch}`

describe.skipIf(!supported)('the packaged app', () => {
  let work: string
  let app: string
  let archive: string
  let packed: string[]
  let unpacked: string[]

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'alcove-package-'))
    const code = await buildPackage({ standIn: true, args: [], output: join(work, 'release'), say: () => undefined })
    expect(code).toBe(0)
    app = join(work, 'release', 'linux-unpacked')
    archive = join(app, 'resources', 'app.asar')
    packed = listPackage(archive, { isPack: false }).map((path) => path.slice(1))
    unpacked = (await readdir(`${archive}.unpacked`, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(`${archive}.unpacked/`.length))
  })
  afterAll(() => rm(work, { recursive: true, force: true }))

  it('holds what it needs', () => {
    for (const file of [
      'package.json',
      'LICENSE',
      'dist/main/electron.js',
      'dist/main/alcove.js',
      'dist/main/study-worker.js',
      'dist/main/pixel-worker.js',
      'dist/main/inference-engine.js',
      'dist/preload/index.cjs',
      'dist/renderer/index.html',
      'resources/models/pet-lesion/model.onnx',
      'resources/models/pet-lesion/manifest.json',
      'resources/models/cxr-pneumonia/card.md',
    ]) {
      expect(packed, file).toContain(file)
    }
  })

  it('holds nothing else of ours: no source, test, training script, map or development package', () => {
    const ours = packed.filter((path) => !path.startsWith('node_modules'))
    expect(new Set(ours.map((path) => path.split('/')[0]))).toEqual(
      new Set(['package.json', 'LICENSE', 'NOTICE', 'dist', 'resources']),
    )
    expect(ours.filter((path) => /\.(tsx?|map|py)$|\.test\./.test(path))).toEqual([])
    const packages = new Set(
      packed
        .filter((path) => path.startsWith('node_modules/'))
        .map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]),
    )
    for (const development of [
      'electron',
      'node',
      'vite',
      'vitest',
      'typescript',
      'playwright-core',
      'react',
      '@cornerstonejs/core',
    ]) {
      expect(packages, development).not.toContain(development)
    }
  })

  it('keeps native code and models beside the archive, for this platform only', () => {
    const binaries = unpacked.filter((path) => /\.(node|so|dylib|dll)(\.|$)/.test(path))
    for (const part of [
      `better-sqlite3-multiple-ciphers/prebuilds/${PLATFORM}.node`,
      `onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`,
      `@napi-rs/keyring-${PLATFORM}`,
      `@img/sharp-${PLATFORM}`,
    ]) {
      expect(
        binaries.some((path) => path.includes(part)),
        part,
      ).toBe(true)
    }
    const foreign = ['darwin', 'win32', 'linuxmusl', process.arch === 'x64' ? 'arm64' : 'x64']
    expect(binaries.filter((path) => foreign.some((name) => path.includes(name)))).toEqual([])
    const inArchiveOnly = packed.filter((path) => path.endsWith('.node') && !unpacked.includes(path))
    expect(inArchiveOnly).toEqual([])
    expect(unpacked).toContain('resources/models/pet-lesion/model.onnx')
  })

  it('has every fuse of the list set in its program', async () => {
    const wire = await getCurrentFuseWire(join(app, 'alcove'))
    const expected: [FuseV1Options, FuseState][] = [
      [FuseV1Options.RunAsNode, FuseState.DISABLE],
      [FuseV1Options.EnableNodeOptionsEnvironmentVariable, FuseState.DISABLE],
      [FuseV1Options.EnableNodeCliInspectArguments, FuseState.DISABLE],
      [FuseV1Options.GrantFileProtocolExtraPrivileges, FuseState.DISABLE],
      [FuseV1Options.EnableCookieEncryption, FuseState.ENABLE],
      [FuseV1Options.EnableEmbeddedAsarIntegrityValidation, FuseState.ENABLE],
      [FuseV1Options.OnlyLoadAppFromAsar, FuseState.ENABLE],
    ]
    for (const [fuse, state] of expected) expect(wire[fuse], FuseV1Options[fuse]).toBe(state)
  })

  describe('its own files, taken out and run under Node away from the checkout', () => {
    let alcove: string
    beforeAll(() => {
      extractAll(archive, join(work, 'app'))
      alcove = join(work, 'app', 'dist', 'main', 'alcove.js')
    })

    it('run the demonstration: import, encrypt, infer, write', { timeout: 180_000 }, async () => {
      const { stdout } = await run(process.execPath, [alcove, '--json', 'demo', '--out', join(work, 'demo')], {
        cwd: work,
        maxBuffer: 64 * 1024 * 1024,
      })
      const report = JSON.parse(stdout) as { import: { imported: number; rejected: unknown[] }; runs: unknown[] }
      expect(report.import.imported).toBeGreaterThan(0)
      expect(report.import.rejected).toEqual([])
      expect(report.runs).toHaveLength(1)
      expect((await stat(join(work, 'demo', 'pet-lesion.seg.dcm'))).size).toBeGreaterThan(1_000)
    })

    it('serve the window and the study to a browser that has the link', async () => {
      const data = ['--data-dir', join(work, 'demo', 'data'), '--passphrase-file', join(work, 'demo', 'passphrase.txt')]
      const server = spawn(process.execPath, [alcove, '--json', ...data, 'serve', '--port', '0'], {
        cwd: work,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      try {
        const { url, link } = JSON.parse(await firstDocument(server)) as { url: string; link: string }
        const entered = await fetch(link, { redirect: 'manual' })
        const headers = { Cookie: entered.headers.getSetCookie()[0]!.split(';')[0]! }
        const page = await fetch(`${url}/`, { headers })
        expect(page.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
        const script = /src="(\/assets\/[^"]+\.js)"/.exec(await page.text())?.[1]
        expect((await fetch(`${url}${script!}`, { headers })).headers.get('Content-Type')).toContain('text/javascript')
        const studies = (await (await fetch(`${url}/api/v1/studies`, { headers })).json()) as { total: number }
        expect(studies.total).toBe(1)
      } finally {
        server.kill('SIGTERM')
        await once(server, 'exit')
      }
      expect(server.exitCode).toBe(0)
    })
  })
})

/** The JSON document a server prints at start; it prints nothing else on stdout. */
function firstDocument(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      try {
        JSON.parse(text)
        resolve(text)
      } catch {
        // Not whole yet.
      }
    })
    child.once('exit', (code) => reject(new Error(`The server ended with ${code} before it served.`)))
  })
}
