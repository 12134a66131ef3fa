import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ElectronRuntimeOptions, findElectron } from './electron-runtime.ts'

const DAY_MS = 24 * 60 * 60_000
let root: string
let lines: string[]
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'alcove-runtime-'))
  lines = []
  await mkdir(join(root, 'node_modules', 'electron'), { recursive: true })
  await writeFile(join(root, 'node_modules', 'electron', 'package.json'), '{"version":"45.4.1"}')
})
afterEach(() => rm(root, { recursive: true }))

/** What Electron's installer leaves behind. */
async function installRuntime(): Promise<boolean> {
  const folder = join(root, 'node_modules', 'electron')
  await mkdir(join(folder, 'dist'), { recursive: true })
  await writeFile(join(folder, 'dist', 'electron'), '')
  await writeFile(join(folder, 'path.txt'), 'electron')
  return true
}

const never = async (): Promise<never> => {
  throw new Error('must not be tried')
}

function find(change: Partial<ElectronRuntimeOptions> = {}) {
  const env = { electron_config_cache: join(root, 'cache') }
  return findElectron({ root, env, say: (line) => lines.push(line), reachable: never, install: never, ...change })
}

describe('findElectron', () => {
  it('takes the installed runtime without asking the network', async () => {
    await installRuntime()
    expect(await find()).toEqual({ executable: join(root, 'node_modules/electron/dist/electron') })
    expect(lines).toEqual([])
  })

  it('is not fooled by a path without its file', async () => {
    await writeFile(join(root, 'node_modules', 'electron', 'path.txt'), 'electron')
    expect(await find({ reachable: async () => false })).toMatchObject({ executable: null })
  })

  it('fetches it when the server can be reached, and says so', async () => {
    const asked: unknown[] = []
    const found = await find({ reachable: async (...to) => (asked.push(to), true), install: installRuntime })
    expect(found).toEqual({ executable: join(root, 'node_modules/electron/dist/electron') })
    expect(asked).toEqual([['github.com', 443]])
    expect(lines).toEqual(['Fetching Electron 45.4.1 from github.com (about 110 MB, at most a minute)…'])
  })

  it('asks the mirror that was configured', async () => {
    const asked: unknown[] = []
    const env = { ELECTRON_MIRROR: 'http://mirror.hospital:8080/electron/' }
    await find({ env, reachable: async (...to) => (asked.push(to), false) })
    expect(asked).toEqual([['mirror.hospital', 8080]])
  })

  it('takes an archive from the cache although nothing can be reached', async () => {
    const folder = join(root, 'cache', 'digest')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `electron-v45.4.1-${process.platform}-${process.arch}.zip`), '')
    expect(await find({ reachable: never, install: installRuntime })).toMatchObject({ executable: expect.any(String) })
  })

  it('tries an unreachable server once a day, more when insisted', async () => {
    let time = Date.parse('2026-11-21T08:00:00Z')
    let asked = 0
    const again = (change: Partial<ElectronRuntimeOptions> = {}) =>
      find({ now: () => time, reachable: async () => (asked++, false), ...change })
    expect(await again()).toMatchObject({ why: expect.stringContaining('github.com cannot be reached') as unknown })
    time += DAY_MS - 1
    expect(await again()).toMatchObject({ why: expect.stringContaining('less than a day ago') as unknown })
    expect(asked).toBe(1)
    await again({ insist: true })
    expect(asked).toBe(2)
    time += DAY_MS + 1
    await again()
    expect(asked).toBe(3)
  })

  it('gives a slow installer up after its time', async () => {
    const found = await find({
      reachable: async () => true,
      installMs: 20,
      install: (signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    })
    expect(found).toMatchObject({ executable: null, why: expect.stringContaining('could not be fetched') as unknown })
  })
})
