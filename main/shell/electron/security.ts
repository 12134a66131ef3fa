import type * as Electron from 'electron'
import { APP_SCHEME, isAppPage, isAppUrl } from './origin.ts'

type Module = typeof Electron

/** Must be called before the app is ready. */
export function registerScheme(protocol: Module['protocol']): void {
  protocol.registerSchemesAsPrivileged([
    {
      scheme: APP_SCHEME,
      privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, corsEnabled: false },
    },
  ])
}

/** What the window's pages may do, given to every window alike. */
export function webPreferences(preload: string, session: Electron.Session, dev: boolean): Electron.WebPreferences {
  return {
    preload,
    session,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    safeDialogs: true,
    // The spell checker would fetch dictionaries.
    spellcheck: false,
    devTools: dev,
  }
}

/** No page leaves the one document, opens another or attaches a guest. For every `web-contents-created`. */
export function guardContents(contents: Electron.WebContents): void {
  const stay = (details: { url: string; preventDefault: () => void }): void => {
    if (!isAppPage(details.url)) details.preventDefault()
  }
  contents.on('will-navigate', stay)
  contents.on('will-redirect', stay)
  contents.on('will-frame-navigate', stay)
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
}

/** No permission, no device, no network but the app's own scheme. */
export function guardSession(session: Electron.Session, dev: boolean): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false))
  session.setPermissionCheckHandler(() => false)
  session.setDevicePermissionHandler(() => false)
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}))
  session.setSpellCheckerEnabled(false)
  session.webRequest.onBeforeRequest((details, answer) => answer({ cancel: !mayRequest(details.url, dev) }))
  session.on('will-download', (event, item) => {
    if (!mayRequest(item.getURL(), false)) event.preventDefault()
  })
}

/** The app itself, what it made in memory, and in development the developer tools. */
function mayRequest(text: string, dev: boolean): boolean {
  if (isAppUrl(text)) return true
  const url = URL.parse(text)
  if (url === null) return false
  if (url.protocol === 'blob:') return isAppUrl(text.slice('blob:'.length))
  if (url.protocol === 'data:') return true
  return dev && url.protocol === 'devtools:'
}

/** Chromium's own errands, none of which a reading room needs. */
export function quietCommandLine(commandLine: Electron.CommandLine): void {
  commandLine.appendSwitch('disable-background-networking')
  commandLine.appendSwitch('disable-component-update')
  commandLine.appendSwitch('disable-domain-reliability')
  commandLine.appendSwitch('disable-quic')
  commandLine.appendSwitch('no-pings')
  commandLine.appendSwitch('no-proxy-server')
}
