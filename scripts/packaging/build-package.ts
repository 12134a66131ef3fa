import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { findElectron } from '#main/shell/electron-runtime.ts'
import { buildWhenStale } from '#main/shell/build-when-stale.ts'
import { makeStandInRuntime } from './stand-in-runtime.ts'

const ROOT = join(import.meta.dirname, '..', '..')

export interface PackageOptions {
  /** Never fetch the runtime: build around the stand-in. */
  standIn: boolean
  /** For electron-builder, e.g. --win. */
  args: string[]
  /** Instead of release/. */
  output?: string
  say: (line: string) => void
}

/**
 * Builds the installers with the real runtime, or the unpacked app alone around a stand-in where it cannot be had
 * (the helper programs of AppImage and deb cannot be fetched there either). Returns electron-builder's exit code.
 */
export async function buildPackage(options: PackageOptions): Promise<number> {
  const { say } = options
  await buildWhenStale(ROOT, 'renderer', say)
  await buildWhenStale(ROOT, 'main', say)
  const runtime = options.standIn
    ? { executable: null, why: 'not asked for' }
    : await findElectron({ root: ROOT, say, insist: true })
  const command = [join(ROOT, 'node_modules', 'electron-builder', 'cli.js'), '--config', 'electron-builder.yml']
  if (options.output !== undefined) command.push(`-c.directories.output=${options.output}`)
  if (runtime.executable === null) {
    const folder = join(ROOT, 'node_modules', '.cache', 'alcove', 'stand-in-electron')
    const version = await electronVersion()
    say(`Building the unpacked app around a stand-in for Electron ${version}: ${runtime.why}.`)
    await makeStandInRuntime(folder, version)
    command.push('--linux', '--dir', `-c.electronDist=${folder}`)
  } else if (process.platform !== 'darwin' && options.args.length === 0) {
    // The runtime is this platform's own; for others electron-builder fetches theirs.
    command.push(`-c.electronDist=${dirname(runtime.executable)}`)
  }
  return run([...command, ...options.args])
}

async function electronVersion(): Promise<string> {
  const text = await readFile(join(ROOT, 'node_modules', 'electron', 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function run(command: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      // No look for certificates, no publishing, whatever the machine's environment says.
      env: { ...process.env, CSC_IDENTITY_AUTO_DISCOVERY: 'false', EP_DRAFT: 'false' },
    })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
