import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'

const REACHABLE_MS = 3_000
const INSTALL_MS = 60_000
const PROGRESS_MS = 5_000
const RETRY_AFTER_MS = 24 * 60 * 60_000
const DEFAULT_MIRROR = 'https://github.com/electron/electron/releases/download/'

export interface ElectronRuntimeOptions {
  /** Folder with node_modules. */
  root: string
  say: (line: string) => void
  env?: Record<string, string | undefined>
  now?: () => number
  /** Injected by tests. */
  reachable?: (host: string, port: number) => Promise<boolean>
  install?: (signal: AbortSignal) => Promise<boolean>
  /** Asked for by name: a failure of today is tried again. */
  insist?: boolean
  installMs?: number
}

export type ElectronRuntime = { executable: string } | { executable: null; why: string }

/** The runtime's program, or null when it is not installed. */
export async function installedElectron(root: string): Promise<string | null> {
  const folder = join(root, 'node_modules', 'electron')
  const name = await readFile(join(folder, 'path.txt'), 'utf8').catch(() => null)
  if (name === null) return null
  const executable = join(folder, 'dist', name.trim())
  return (await isFile(executable)) ? executable : null
}

/**
 * Electron's runtime: as installed, or fetched by Electron's own installer within a minute. Offline is found out in
 * seconds, and a failed attempt is remembered for a day.
 */
export async function findElectron(options: ElectronRuntimeOptions): Promise<ElectronRuntime> {
  const installed = await installedElectron(options.root)
  if (installed !== null) return { executable: installed }
  const version = await electronVersion(options.root)
  if (version === null) return { executable: null, why: 'Electron is not among the installed packages' }

  const env = options.env ?? process.env
  const now = options.now ?? Date.now
  const stamp = join(options.root, 'node_modules', '.cache', 'alcove', 'electron-fetch.json')
  if (options.insist !== true && (await failedToday(stamp, version, now()))) {
    return { executable: null, why: 'its runtime could not be fetched less than a day ago' }
  }
  const mirror = mirrorOf(env)
  const proxied = env['ELECTRON_GET_USE_PROXY'] !== undefined
  const reachable = options.reachable ?? canConnect
  if (!proxied && !(await isCached(version, env)) && !(await reachable(mirror.hostname, portOf(mirror)))) {
    await remember(stamp, version, now())
    return { executable: null, why: `its runtime is not installed and ${mirror.hostname} cannot be reached` }
  }
  options.say(`Fetching Electron ${version} from ${mirror.hostname} (about 110 MB, at most a minute)…`)
  const install = options.install ?? ((signal) => runInstaller(options.root, env, options.say, signal))
  const done = await install(AbortSignal.timeout(options.installMs ?? INSTALL_MS)).catch(() => false)
  const executable = done ? await installedElectron(options.root) : null
  if (executable !== null) return { executable }
  await remember(stamp, version, now())
  return { executable: null, why: 'its runtime could not be fetched' }
}

async function electronVersion(root: string): Promise<string | null> {
  const text = await readFile(join(root, 'node_modules', 'electron', 'package.json'), 'utf8').catch(() => null)
  return text === null ? null : z.object({ version: z.string() }).parse(JSON.parse(text)).version
}

/** Where @electron/get looks, by the same variables. */
function mirrorOf(env: Record<string, string | undefined>): URL {
  const given = env['npm_config_electron_mirror'] ?? env['NPM_CONFIG_ELECTRON_MIRROR'] ?? env['ELECTRON_MIRROR']
  return URL.parse(given ?? DEFAULT_MIRROR) ?? new URL(DEFAULT_MIRROR)
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port)
}

/** @electron/get keeps each archive in a folder named by a digest; one that is there needs no network. */
async function isCached(version: string, env: Record<string, string | undefined>): Promise<boolean> {
  const places = {
    linux: join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'electron'),
    darwin: join(homedir(), 'Library', 'Caches', 'electron'),
    win32: join(env['LOCALAPPDATA'] ?? homedir(), 'electron', 'Cache'),
  }
  const folder = env['electron_config_cache'] ?? places[process.platform as keyof typeof places] ?? places.linux
  const archive = `electron-v${version}-${process.platform}-${process.arch}.zip`
  const names = await readdir(folder).catch(() => [])
  for (const name of names) if (await isFile(join(folder, name, archive))) return true
  return false
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  )
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const settle = (answer: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    // Name look-ups have a timeout of their own, far longer than a person wants to wait.
    const timer = setTimeout(() => settle(false), REACHABLE_MS)
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}

function runInstaller(
  root: string,
  env: Record<string, string | undefined>,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const started = Date.now()
    const child = spawn(process.execPath, [join(root, 'node_modules', 'electron', 'install.js')], {
      env,
      stdio: 'ignore',
      signal,
    })
    const progress = setInterval(
      () => say(`  still fetching, ${Math.round((Date.now() - started) / 1000)} s…`),
      PROGRESS_MS,
    )
    const settle = (answer: boolean): void => {
      clearInterval(progress)
      resolve(answer)
    }
    child.once('error', () => settle(false))
    child.once('exit', (code) => settle(code === 0))
  })
}

const stampSchema = z.object({ version: z.string(), at: z.number() })

async function failedToday(stamp: string, version: string, now: number): Promise<boolean> {
  try {
    const failed = stampSchema.parse(JSON.parse(await readFile(stamp, 'utf8')))
    return failed.version === version && now >= failed.at && now - failed.at < RETRY_AFTER_MS
  } catch {
    return false
  }
}

async function remember(stamp: string, version: string, now: number): Promise<void> {
  // A folder that cannot be written to costs a few seconds at the next start, no more.
  try {
    await mkdir(dirname(stamp), { recursive: true })
    await writeFile(stamp, JSON.stringify({ version, at: now }))
  } catch {
    return
  }
}
