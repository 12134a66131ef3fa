import { spawn } from 'node:child_process'
import { AlcoveError, isAlcoveError } from '#common/errors.ts'
import { startPath } from './app-services.ts'
import { buildWhenStale } from './build-when-stale.ts'
import { chooseShell, type ShellChoice } from './choose-shell.ts'
import { createChromiumShell } from './chromium/chromium-shell.ts'
import { findBrowser } from './chromium/find-browser.ts'
import { detectGraphics } from './chromium/graphics.ts'
import { findElectron } from './electron-runtime.ts'
import { createHeadlessShell } from './headless/headless-shell.ts'
import { projectRoot } from './project-root.ts'
import type { FetchHandler, Shell, ShellName } from './types.ts'

/** Electron's program ending like this, this soon, never got as far as Alcove: missing libraries or no sandbox. */
const BROKEN_START_MS = 10_000
const BROKEN_EXITS = new Set<number | NodeJS.Signals | null>([126, 127, 'SIGTRAP', 'SIGABRT', 'SIGSEGV', 'SIGILL'])

export interface StartOptions {
  /** --shell, or null to let Alcove choose. */
  requested: ShellName | null
  dataDir: string
  passphraseFile: string | null
  /** 0 lets the system choose. */
  port: number
  /** Study to show first. */
  openStudy: string | null
  signal: AbortSignal
  /** A line for the person who started it. */
  say: (line: string) => void
  /** Opens the workstation in this process, once; the caller closes it. Electron opens it in its own process. */
  openHandler: (shell: ShellName) => Promise<FetchHandler>
  bearerToken?: string
}

/**
 * `npm start`: chooses the shell, says which and why, builds what is stale and stays until the window is closed.
 * Returns the exit code.
 * @throws AlcoveError shell/unavailable, and what opening the workstation throws
 */
export async function startApp(options: StartOptions): Promise<number> {
  // The terminal was closed: as if it had been told to stop.
  process.once('SIGHUP', () => process.kill(process.pid, 'SIGTERM'))
  const root = projectRoot()
  const choice = await chooseShell({
    requested: options.requested,
    platform: process.platform,
    env: process.env,
    electron: () => findElectron({ root, say: options.say, insist: options.requested === 'electron' }),
    browser: () => findBrowser(),
  })
  await buildWhenStale(root, 'renderer', options.say, options.signal)
  if (choice.shell !== 'electron') return runHere(choice, options)

  options.say(`Opening Alcove in Electron (${choice.reason}).`)
  await buildWhenStale(root, 'main', options.say, options.signal)
  const ended = await runElectron(choice.executable, root, options)
  if (ended !== 'broken') return ended
  if (options.requested === 'electron') {
    throw new AlcoveError('shell/unavailable', 'Electron ended at once: its libraries or its sandbox are missing here.')
  }
  const browser = await findBrowser()
  const reason = 'Electron ended at once: its libraries or its sandbox are missing here'
  return runHere(browser === null ? { shell: 'headless', reason } : { shell: 'chromium', browser, reason }, options)
}

async function runHere(choice: Exclude<ShellChoice, { shell: 'electron' }>, options: StartOptions): Promise<number> {
  if (choice.shell === 'chromium') {
    const { browser } = choice
    options.say(`Opening Alcove as a window of ${browser.name} (${choice.reason}).`)
    if (process.platform === 'linux' && process.getuid?.() === 0) {
      options.say('Started as root, the browser runs without its sandbox; a normal user is safer.')
    }
    const graphics = await detectGraphics()
    const shell = createChromiumShell({ ...options, browser, graphics, reason: choice.reason })
    try {
      return await stay(shell, await options.openHandler('chromium'), options)
    } catch (error) {
      const unavailable = isAlcoveError(error) && error.code === 'shell/unavailable'
      if (!unavailable || options.requested !== null) throw error
      return serve(error.message, await options.openHandler('headless'), options)
    }
  }
  return serve(choice.reason, await options.openHandler('headless'), options)
}

async function serve(reason: string, handler: FetchHandler, options: StartOptions): Promise<number> {
  options.say(`Serving Alcove without a window: ${reason}`)
  const onLink = (link: string): void => {
    options.say(`Open this link once, within ten minutes, in a browser on this machine:\n\n  ${link}\n`)
    options.say('Ctrl+C ends Alcove.')
  }
  return stay(createHeadlessShell({ ...options, reason, onLink }), handler, options)
}

async function stay(shell: Shell, handler: FetchHandler, options: StartOptions): Promise<number> {
  const session = await shell.open(handler, startPath(options.openStudy))
  if (options.signal.aborted) await session.close()
  await session.closed
  return 0
}

function runElectron(executable: string, root: string, options: StartOptions): Promise<number | 'broken'> {
  // The folder, not the script: Electron then takes name, version and entry from package.json.
  const args = [root, '--data-dir', options.dataDir]
  if (options.passphraseFile !== null) args.push('--passphrase-file', options.passphraseFile)
  if (options.openStudy !== null) args.push('--open', options.openStudy)
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    options.say('Started as root, Electron runs without its sandbox; a normal user is safer.')
    args.unshift('--no-sandbox')
  }
  return new Promise((resolve, reject) => {
    const started = Date.now()
    const child = spawn(executable, args, { cwd: root, stdio: 'inherit' })
    const stop = (): void => void child.kill('SIGTERM')
    options.signal.addEventListener('abort', stop, { once: true })
    child.once('error', (error) => {
      reject(new AlcoveError('shell/unavailable', 'Electron could not be started.', { cause: error }))
    })
    child.once('exit', (code, signal) => {
      options.signal.removeEventListener('abort', stop)
      const broken = BROKEN_EXITS.has(code ?? signal) && Date.now() - started < BROKEN_START_MS
      resolve(broken ? 'broken' : options.signal.aborted ? 0 : (code ?? 1))
    })
  })
}
