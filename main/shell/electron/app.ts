import { join } from 'node:path'
import type * as Electron from 'electron'
import type { ImportDialogKind, MenuAction } from '#common/contract/bridge.ts'
import { toAlcoveError } from '#common/errors.ts'
import { studyInstanceUID } from '#common/ids.ts'
import { type AppServices, startPath } from '../app-services.ts'
import { type Launch, launchSchema, parseLaunch } from './arguments.ts'
import { answerBridge } from './bridge.ts'
import { menuTemplate } from './menu.ts'
import { APP_ORIGIN, APP_SCHEME } from './origin.ts'
import { protocolHandler } from './protocol.ts'
import { guardContents, guardSession, quietCommandLine, registerScheme, webPreferences } from './security.ts'
import { loadWindowState, MINIMUM_SIZE, saveWindowState } from './window-state.ts'

/** The reading room's own black, so that opening a window does not flash. */
const BACKGROUND = '#0b0e12'
/** Without "persist:" the session lives in memory: no page, image or name is ever written to its disk cache. */
const PARTITION = 'alcove'

export interface ElectronAppOptions {
  electron: typeof Electron
  /** Arguments after the program's own name(s). */
  args: string[]
  cwd: string
  /** Turns --data-dir (or its absence) into the folder. */
  dataDir: (flag: string | null) => string
  openServices: (dataDir: string, launch: Launch) => Promise<AppServices>
  /** The preload script's file. */
  preload: string
  /** Developer tools and reload. */
  dev: boolean
}

/**
 * The Electron app from its first line to its last window. Everything that must come before Electron is ready happens
 * before the first await.
 */
export async function runElectronApp(options: ElectronAppOptions): Promise<void> {
  const { app, BrowserWindow, dialog, ipcMain, Menu, protocol, screen } = options.electron
  const launch = parseLaunch(options.args, options.cwd)
  const dataDir = options.dataDir(launch.dataDir)
  app.setPath('userData', join(dataDir, 'electron'))
  app.enableSandbox()
  quietCommandLine(app.commandLine)
  registerScheme(protocol)
  app.on('web-contents-created', (_event, contents) => guardContents(contents))

  // The lock lies in userData: one app per data folder. A second start hands over what it was asked to do.
  if (!app.requestSingleInstanceLock(launch)) {
    app.quit()
    return
  }

  let services: AppServices | null = null
  let window: Electron.BrowserWindow | null = null
  const waiting: Launch[] = [{ ...launch, openStudy: null }]
  const follow = (asked: Launch): void => {
    if (services === null) {
      waiting.push(asked)
      return
    }
    if (asked.paths.length > 0) services.importPaths(asked.paths)
    if (asked.openStudy !== null) services.openStudy(studyInstanceUID(asked.openStudy))
  }
  app.on('second-instance', (_event, _argv, _cwd, data) => {
    const asked = launchSchema.safeParse(data)
    if (asked.success) follow(asked.data)
    if (window === null) return
    if (window.isMinimized()) window.restore()
    window.focus()
  })
  app.on('open-file', (event, path) => {
    event.preventDefault()
    follow({ dataDir: null, passphraseFile: null, openStudy: null, paths: [path] })
  })
  app.on('window-all-closed', () => app.quit())
  closeBeforeQuit(app, () => services)

  await app.whenReady()
  try {
    services = await options.openServices(dataDir, launch)
  } catch (error) {
    // No window yet: a native box is the only way to say it.
    dialog.showErrorBox('Alcove cannot start', toAlcoveError(error).message)
    app.exit(1)
    return
  }

  const session = options.electron.session.fromPartition(PARTITION, { cache: false })
  guardSession(session, options.dev)
  session.protocol.handle(APP_SCHEME, protocolHandler(services.handler))

  const chooseImport = (kind: ImportDialogKind): Promise<string[]> => showImportDialog(dialog, window, kind)
  const opened = services
  const importPaths = (paths: string[]): void => opened.importPaths(paths)
  answerBridge(ipcMain, (contents) => BrowserWindow.fromWebContents(contents), { chooseImport, importPaths })
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(
      menuTemplate(process.platform, options.dev, {
        import: (kind) => void chooseImport(kind).then((paths) => paths.length > 0 && importPaths(paths)),
        page: (action) => sendMenu(window, action),
      }),
    ),
  )

  const stateFile = join(dataDir, 'electron', 'window.json')
  const state = await loadWindowState(
    stateFile,
    screen.getAllDisplays().map((display) => display.workArea),
  )
  window = new BrowserWindow({
    ...MINIMUM_SIZE,
    ...(state === null ? {} : { x: state.x, y: state.y, width: state.width, height: state.height }),
    show: false,
    title: 'Alcove',
    backgroundColor: BACKGROUND,
    webPreferences: webPreferences(options.preload, session, options.dev),
  })
  const shown = window
  shown.once('ready-to-show', () => {
    if (state === null || state.maximized) shown.maximize()
    shown.show()
  })
  shown.on('close', () => void saveWindowState(stateFile, shown).catch(() => undefined))
  shown.on('closed', () => {
    window = null
  })
  for (const asked of waiting) follow(asked)
  await shown.loadURL(`${APP_ORIGIN}${startPath(launch.openStudy)}`)
}

/** Ends the workstation (engine process, databases) before the app may go. */
function closeBeforeQuit(app: Electron.App, services: () => AppServices | null): void {
  let closed = false
  app.on('before-quit', (event) => {
    const open = services()
    if (closed || open === null) return
    event.preventDefault()
    closed = true
    void open.close().finally(() => app.quit())
  })
}

async function showImportDialog(
  dialog: Electron.Dialog,
  window: Electron.BrowserWindow | null,
  kind: ImportDialogKind,
): Promise<string[]> {
  const options: Electron.OpenDialogOptions = {
    title: kind === 'files' ? 'Import files' : 'Import a folder',
    buttonLabel: 'Import',
    properties: [kind === 'files' ? 'openFile' : 'openDirectory', 'multiSelections'],
  }
  const chosen = await (window === null ? dialog.showOpenDialog(options) : dialog.showOpenDialog(window, options))
  return chosen.canceled ? [] : chosen.filePaths
}

function sendMenu(window: Electron.BrowserWindow | null, action: MenuAction): void {
  window?.webContents.send('alcove:menu', action)
}
