import { spawn } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AlcoveError } from '#common/errors.ts'
import { isCheckout } from './project-root.ts'

const BUILD_TIMEOUT_MS = 10 * 60_000
const OUTPUT_KEPT = 4_000

interface Build {
  what: string
  /** Its time is the time of the last build. */
  output: string
  inputs: string[]
  /** Script of the builder and its arguments, relative to the root. */
  command: string[]
}

const BUILDS = {
  renderer: {
    what: 'the window',
    output: 'dist/renderer/index.html',
    inputs: ['renderer', 'common', 'vite.config.ts', 'package-lock.json'],
    command: ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn'],
  },
  main: {
    what: 'the Electron app',
    output: 'dist/main/electron.js',
    inputs: ['main', 'node', 'common', 'preload', 'rolldown.config.ts', 'package-lock.json'],
    command: ['node_modules/rolldown/bin/cli.mjs', '--config', 'rolldown.config.ts', '--log-level', 'warn'],
  },
} as const satisfies Record<string, Build>

/**
 * Builds what is missing or older than its sources, and says so; an installed app has nothing to build.
 * @throws AlcoveError shell/unavailable with the end of the builder's output
 */
export async function buildWhenStale(
  root: string,
  name: keyof typeof BUILDS,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  if (!isCheckout(root)) return
  const build: Build = BUILDS[name]
  const built = await timeOf(join(root, build.output))
  if (built !== null && (await newest(root, build.inputs)) <= built) return
  say(`Building ${build.what} (${built === null ? 'not built yet' : 'its sources have changed'})…`)
  await runBuilder(root, build, signal)
}

async function timeOf(file: string): Promise<number | null> {
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  )
}

async function newest(root: string, inputs: string[]): Promise<number> {
  let latest = 0
  for (const input of inputs) {
    const path = join(root, input)
    const stats = await stat(path).catch(() => null)
    if (stats === null) continue
    if (!stats.isDirectory()) {
      latest = Math.max(latest, stats.mtimeMs)
      continue
    }
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || /\.test\.tsx?$/.test(entry.name)) continue
      latest = Math.max(latest, (await timeOf(join(entry.parentPath, entry.name))) ?? 0)
    }
  }
  return latest
}

function runBuilder(root: string, build: Build, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, build.command, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: BUILD_TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    })
    let output = ''
    const keep = (chunk: string): void => {
      output = (output + chunk).slice(-OUTPUT_KEPT)
    }
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.once('error', (error) =>
      reject(new AlcoveError('shell/unavailable', `Building ${build.what} did not start.`, { cause: error })),
    )
    child.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new AlcoveError('shell/unavailable', `Building ${build.what} failed:\n${output.trim()}`))
    })
  })
}
