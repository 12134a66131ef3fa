import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { AlcoveError } from '#common/errors.ts'
import { type LoopbackServer, serveOnLoopback } from '../loopback-server.ts'
import type { FetchHandler, Shell, ShellSession } from '../types.ts'
import type { FoundBrowser } from './find-browser.ts'
import { browserFlags, type Graphics } from './flags.ts'
import { createProfile, profileParent } from './profile.ts'

const ENTER_DEADLINE_MS = 60_000
const KILL_GRACE_MS = 3_000
/** On macOS a browser outlives its last window: no connection for this long means that the window is gone. */
const ABANDONED_MS = 8_000

export interface ChromiumOptions {
  browser: FoundBrowser
  reason: string
  port: number
  graphics: Graphics
  platform?: NodeJS.Platform
  /** Further flags, for tests. */
  extraFlags?: string[]
  signal?: AbortSignal
}

/**
 * The app as a window of an installed browser: same handler, same page, a profile of its own that lasts as long as
 * the window. Ends with its window; the window ends with it.
 */
export function createChromiumShell(options: ChromiumOptions): Shell {
  return {
    name: 'chromium',
    reason: options.reason,
    async open(handler, path) {
      const entered = Promise.withResolvers<void>()
      const server = await serveOnLoopback(announce(handler, entered.resolve), options)
      try {
        return await openWindow(server, entered.promise, path, options)
      } catch (error) {
        await server.close()
        throw error
      }
    },
  }
}

/** The first request that the guard lets through tells that the window is in. */
function announce(handler: FetchHandler, entered: () => void): FetchHandler {
  return async (request) => {
    entered()
    return handler(request)
  }
}

async function openWindow(
  server: LoopbackServer,
  entered: Promise<void>,
  path: string,
  options: ChromiumOptions,
): Promise<ShellSession> {
  const platform = options.platform ?? process.platform
  const profile = await createProfile(profileParent(options.browser.snap), server.guard.entryForm(path))
  const flags = browserFlags({
    userDataDir: profile.directory,
    entryPage: profile.entryPage,
    root: platform === 'linux' && process.getuid?.() === 0,
    graphics: options.graphics,
    ...(options.extraFlags === undefined ? {} : { extra: options.extraFlags }),
  })
  // Its own process group: Ctrl+C in the terminal reaches Alcove alone, which then ends the browser in order.
  const browser = spawn(options.browser.path, flags, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: platform !== 'win32',
  })
  const complaints = lastLines(browser)
  const exited = exitOf(browser)
  const finished = Promise.withResolvers<void>()
  // Should this process end in a way that nobody handles, its window must not stay behind.
  const atExit = (): void => {
    if (browser.pid !== undefined) signalGroup(browser.pid, 'SIGKILL', platform)
  }
  process.once('exit', atExit)
  const end = once(async () => {
    await endBrowser(browser, exited, platform)
    process.off('exit', atExit)
    await server.close()
    await profile.remove()
    finished.resolve()
  })
  void exited.then(end)
  if (options.signal?.aborted === true) void end()
  options.signal?.addEventListener('abort', () => void end(), { once: true })

  const outcome = await Promise.race([
    entered.then(() => 'entered' as const),
    exited.then(() => 'exited' as const),
    delay(ENTER_DEADLINE_MS, 'late' as const, { ref: false }),
  ])
  await profile.removeEntry()
  if (outcome !== 'entered' && options.signal?.aborted !== true) {
    await end()
    throw new AlcoveError('shell/unavailable', explainFailure(options.browser, outcome, complaints()))
  }
  if (platform === 'darwin') void watchConnections(server, end, finished.promise)
  return { url: server.guard.origin, closed: finished.promise, close: end }
}

function explainFailure(browser: FoundBrowser, outcome: 'exited' | 'late', complaints: string): string {
  const what = outcome === 'exited' ? 'ended before its window opened' : 'did not open its window in time'
  const why = complaints === '' ? '' : ` It said: ${complaints}`
  return `${browser.name} (${browser.path}) ${what}.${why}`
}

/** The end of what the browser says on stderr, to explain a start that failed. */
function lastLines(browser: ChildProcess): () => string {
  let text = ''
  browser.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-2_000)
  })
  return () => text.trim().split('\n').slice(-3).join(' ').trim()
}

function exitOf(browser: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    browser.once('exit', () => resolve())
    browser.once('error', () => resolve())
  })
}

async function endBrowser(browser: ChildProcess, exited: Promise<void>, platform: NodeJS.Platform): Promise<void> {
  if (browser.pid === undefined) return
  if (browser.exitCode === null && browser.signalCode === null) {
    signalGroup(browser.pid, 'SIGTERM', platform)
    await Promise.race([exited, delay(KILL_GRACE_MS, undefined, { ref: false })])
  }
  // Also what the browser left behind in its group.
  signalGroup(browser.pid, 'SIGKILL', platform)
  await Promise.race([exited, delay(KILL_GRACE_MS, undefined, { ref: false })])
}

function signalGroup(pid: number, signal: NodeJS.Signals, platform: NodeJS.Platform): void {
  try {
    process.kill(platform === 'win32' ? pid : -pid, signal)
  } catch {
    // Already gone.
  }
}

async function watchConnections(
  server: LoopbackServer,
  end: () => Promise<void>,
  finished: Promise<void>,
): Promise<void> {
  const controller = new AbortController()
  void finished.then(() => controller.abort())
  let quietSince: number | null = null
  while (!controller.signal.aborted) {
    await delay(1_000, undefined, { ref: false, signal: controller.signal }).catch(() => undefined)
    quietSince = (await server.connections()) > 0 ? null : (quietSince ?? Date.now())
    if (quietSince !== null && Date.now() - quietSince > ABANDONED_MS) return end()
  }
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  return () => (running ??= action())
}
