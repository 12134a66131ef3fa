import { AlcoveError } from '#common/errors.ts'
import type { FoundBrowser } from './chromium/find-browser.ts'
import type { ElectronRuntime } from './electron-runtime.ts'
import type { ShellName } from './types.ts'

export type ShellChoice =
  | { shell: 'electron'; executable: string; reason: string }
  | { shell: 'chromium'; browser: FoundBrowser; reason: string }
  | { shell: 'headless'; reason: string }

export interface ChooseShellInput {
  /** --shell, or null to let Alcove choose. */
  requested: ShellName | null
  platform: NodeJS.Platform
  env: Record<string, string | undefined>
  /** Asked only when it matters: it may fetch Electron's runtime. */
  electron: () => Promise<ElectronRuntime>
  browser: () => Promise<FoundBrowser | null>
}

/** Windows and macOS always have a screen for a logged-in person; elsewhere X11 or Wayland says so. */
export function hasDisplay(platform: NodeJS.Platform, env: Record<string, string | undefined>): boolean {
  if (platform === 'win32' || platform === 'darwin') return true
  return (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== ''
}

/**
 * Electron where its runtime is, else an installed browser, else no window; each with the reason in words.
 * @throws AlcoveError shell/unavailable when the one asked for is not there
 */
export async function chooseShell(input: ChooseShellInput): Promise<ShellChoice> {
  const { requested } = input
  if (requested === 'headless') return { shell: 'headless', reason: 'asked for by --shell headless' }
  if (!hasDisplay(input.platform, input.env)) {
    const reason = 'there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)'
    return { shell: 'headless', reason }
  }
  let why = 'asked for by --shell chromium'
  if (requested !== 'chromium') {
    const electron = await input.electron()
    if (electron.executable !== null) {
      const reason = requested === 'electron' ? 'asked for by --shell electron' : 'its runtime is installed'
      return { shell: 'electron', executable: electron.executable, reason }
    }
    if (requested === 'electron') {
      throw new AlcoveError('shell/unavailable', `Electron cannot be used: ${electron.why}. Try --shell chromium.`)
    }
    why = `Electron: ${electron.why}`
  }
  const browser = await input.browser()
  if (browser !== null) return { shell: 'chromium', browser, reason: why }
  if (requested === 'chromium') {
    throw new AlcoveError(
      'shell/unavailable',
      'No Chromium, Chrome, Edge or Brave was found. Install one, or set ALCOVE_BROWSER to its path.',
    )
  }
  return { shell: 'headless', reason: `no window can be opened (${why}; no Chromium, Chrome or Edge is installed)` }
}
