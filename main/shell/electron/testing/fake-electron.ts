import { EventEmitter } from 'node:events'
import type * as Electron from 'electron'

type Recorded = Record<string, unknown>

/** Stands in for a WebContents: emits what Electron emits, and asks the guards what Electron asks them. */
export class FakeContents extends EventEmitter {
  readonly sent: unknown[][] = []
  readonly mainFrame = { url: 'app://alcove/' }
  private openHandler: (details: { url: string }) => { action: string } = () => ({ action: 'allow' })

  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler
  }
  /** What window.open(url) would come to. */
  tryOpen(url: string): string {
    return this.openHandler({ url }).action
  }
  /** True when a navigation by `event` to `url` would go on. */
  tryNavigate(event: 'will-navigate' | 'will-redirect' | 'will-frame-navigate', url: string): boolean {
    let prevented = false
    this.emit(event, { url, preventDefault: () => (prevented = true) })
    return !prevented
  }
  tryAttachWebview(): boolean {
    let prevented = false
    this.emit('will-attach-webview', { preventDefault: () => (prevented = true) }, {}, {})
    return !prevented
  }
  send(...message: unknown[]): void {
    this.sent.push(message)
  }
}

export class FakeSession extends EventEmitter {
  readonly handlers: Recorded = {}
  readonly schemes = new Map<string, (request: Request) => Promise<Response>>()
  readonly webRequest = {
    onBeforeRequest: (listener: unknown): void => {
      this.handlers['onBeforeRequest'] = listener
    },
  }
  readonly protocol = {
    handle: (scheme: string, handler: (request: Request) => Promise<Response>): void => {
      this.schemes.set(scheme, handler)
    },
  }
  setPermissionRequestHandler = (handler: unknown): void => void (this.handlers['permissionRequest'] = handler)
  setPermissionCheckHandler = (handler: unknown): void => void (this.handlers['permissionCheck'] = handler)
  setDevicePermissionHandler = (handler: unknown): void => void (this.handlers['device'] = handler)
  setDisplayMediaRequestHandler = (handler: unknown): void => void (this.handlers['displayMedia'] = handler)
  setSpellCheckerEnabled = (enabled: boolean): void => void (this.handlers['spellChecker'] = enabled)
}

export class FakeWindow extends EventEmitter {
  readonly webContents = new FakeContents()
  readonly did: string[] = []
  loaded: string | null = null
  maximized = false
  minimized = false
  fullScreen = false
  readonly options: Electron.BrowserWindowConstructorOptions

  constructor(options: Electron.BrowserWindowConstructorOptions) {
    super()
    this.options = options
  }
  async loadURL(url: string): Promise<void> {
    this.loaded = url
    this.emit('ready-to-show')
  }
  getNormalBounds = (): Electron.Rectangle => ({ x: 10, y: 20, width: 1400, height: 900 })
  isMaximized = (): boolean => this.maximized
  isMinimized = (): boolean => this.minimized
  isFullScreen = (): boolean => this.fullScreen
  maximize = (): void => void ((this.maximized = true), this.did.push('maximize'))
  unmaximize = (): void => void ((this.maximized = false), this.did.push('unmaximize'))
  minimize = (): void => void ((this.minimized = true), this.did.push('minimize'))
  restore = (): void => void ((this.minimized = false), this.did.push('restore'))
  setFullScreen = (on: boolean): void => void (this.fullScreen = on)
  show = (): void => void this.did.push('show')
  focus = (): void => void this.did.push('focus')
  close = (): void => {
    this.did.push('close')
    this.emit('close')
    this.emit('closed')
  }
}

export interface FakeElectron {
  module: typeof Electron
  app: EventEmitter & { quits: number; exits: number[] }
  /** Calls in order, with "ready" where the app became ready. */
  order: string[]
  switches: string[]
  paths: Recorded
  privileged: Electron.CustomScheme[]
  session: FakeSession
  partitions: unknown[][]
  windows: FakeWindow[]
  dialogs: { open: unknown[]; errors: string[] }
  menu: () => Electron.MenuItemConstructorOptions[]
  /** Calls a bridge channel as `ipcRenderer.invoke` in this frame would. */
  invoke(channel: string, args: unknown[], from?: { sender: FakeContents; senderFrame: unknown }): Promise<unknown>
}

/**
 * The part of Electron's API that Alcove calls, with its order-sensitive rules: what Electron refuses after "ready"
 * throws here too, and a blocked quit can be asked again.
 */
export function fakeElectron(options: { lock?: boolean; chosen?: string[] } = {}): FakeElectron {
  const order: string[] = []
  const windows: FakeWindow[] = []
  const session = new FakeSession()
  const channels = new Map<string, (...args: unknown[]) => Promise<unknown>>()
  let ready = false
  let menu: Electron.MenuItemConstructorOptions[] = []
  const fake = {
    order,
    switches: [] as string[],
    paths: {} as Recorded,
    privileged: [] as Electron.CustomScheme[],
    partitions: [] as unknown[][],
    dialogs: { open: [] as unknown[], errors: [] as string[] },
  }
  const beforeReady = (what: string): void => {
    if (ready) throw new Error(`${what} must be called before the app is ready`)
    order.push(what)
  }
  const app = Object.assign(new EventEmitter(), {
    quits: 0,
    exits: [] as number[],
    commandLine: { appendSwitch: (name: string) => (beforeReady('appendSwitch'), fake.switches.push(name)) },
    setPath: (name: string, path: string) => (beforeReady('setPath'), (fake.paths[name] = path)),
    enableSandbox: () => beforeReady('enableSandbox'),
    requestSingleInstanceLock: () => (order.push('lock'), options.lock ?? true),
    whenReady: async () => {
      ready = true
      order.push('ready')
    },
    quit: () => {
      let prevented = false
      app.emit('before-quit', { preventDefault: () => (prevented = true) })
      if (!prevented) app.quits++
    },
    exit: (code: number) => app.exits.push(code),
  })
  class BrowserWindow extends FakeWindow {
    static fromWebContents = (contents: FakeContents): FakeWindow | null =>
      windows.find((window) => window.webContents === contents) ?? null
    constructor(given: Electron.BrowserWindowConstructorOptions) {
      super(given)
      order.push('window')
      windows.push(this)
      app.emit('web-contents-created', {}, this.webContents)
    }
  }
  const chosen = options.chosen ?? []
  const module = {
    app,
    BrowserWindow,
    dialog: {
      showOpenDialog: async (...given: unknown[]) => {
        fake.dialogs.open.push(given.at(-1))
        return { canceled: chosen.length === 0, filePaths: chosen }
      },
      showErrorBox: (_title: string, text: string) => fake.dialogs.errors.push(text),
    },
    ipcMain: {
      handle: (channel: string, listener: (...args: unknown[]) => Promise<unknown>) => channels.set(channel, listener),
    },
    Menu: {
      buildFromTemplate: (template: Electron.MenuItemConstructorOptions[]) => template,
      setApplicationMenu: (template: Electron.MenuItemConstructorOptions[]) => (menu = template),
    },
    protocol: {
      registerSchemesAsPrivileged: (schemes: Electron.CustomScheme[]) => {
        beforeReady('registerSchemes')
        fake.privileged.push(...schemes)
      },
    },
    screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
    session: {
      fromPartition: (...given: unknown[]) => {
        order.push('session')
        fake.partitions.push(given)
        return session
      },
    },
  }
  return {
    ...fake,
    module: module as unknown as typeof Electron,
    app,
    session,
    windows,
    menu: () => menu,
    async invoke(channel, args, from) {
      const sender = from?.sender ?? windows[0]?.webContents
      const listener = channels.get(channel)
      if (listener === undefined) throw new Error(`No handler registered for '${channel}'`)
      return listener({ sender, senderFrame: from === undefined ? sender?.mainFrame : from.senderFrame }, ...args)
    },
  }
}
