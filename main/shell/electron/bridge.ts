import { isAbsolute } from 'node:path'
import type * as Electron from 'electron'
import { z } from 'zod'
import type { BridgeRequests, ImportDialogKind, WindowAction } from '#common/contract/bridge.ts'
import { AlcoveError } from '#common/errors.ts'
import { isAppPage } from './origin.ts'

const PATH_LENGTH = 32_767
const PATHS_PER_IMPORT = 100_000

/** What a page may send on each channel: it is outside until it has passed here. */
const ARGUMENTS = {
  'alcove:import-dialog': z.enum(['files', 'folder']),
  'alcove:import-paths': z.array(z.string().min(1).max(PATH_LENGTH).refine(isAbsolute)).max(PATHS_PER_IMPORT),
  'alcove:window': z.enum(['minimize', 'toggle-maximize', 'toggle-full-screen', 'close']),
} satisfies { [Channel in keyof BridgeRequests]: z.ZodType<BridgeRequests[Channel]['argument']> }

export interface BridgeServices {
  importPaths(paths: string[]): void
  chooseImport(kind: ImportDialogKind): Promise<string[]>
}

type Caller = Pick<Electron.IpcMainInvokeEvent, 'sender' | 'senderFrame'>

/** Answers the page's requests, once per process; `windowOf` finds the window that asks. */
export function answerBridge(
  ipcMain: Electron.IpcMain,
  windowOf: (contents: Electron.WebContents) => Electron.BrowserWindow | null,
  services: BridgeServices,
): void {
  function answer<Channel extends keyof BridgeRequests>(
    channel: Channel,
    work: (
      argument: BridgeRequests[Channel]['argument'],
      caller: Caller,
    ) => Promise<BridgeRequests[Channel]['answer']> | BridgeRequests[Channel]['answer'],
  ): void {
    ipcMain.handle(channel, async (event: Caller, ...given: unknown[]) => {
      requireOwnPage(event)
      const parsed = (ARGUMENTS[channel] as z.ZodType<BridgeRequests[Channel]['argument']>).safeParse(given[0])
      if (!parsed.success || given.length !== 1) {
        throw new AlcoveError('request/invalid', `${channel} got an argument it does not take.`)
      }
      return work(parsed.data, event)
    })
  }

  answer('alcove:import-dialog', async (kind) => {
    const paths = await services.chooseImport(kind)
    if (paths.length > 0) services.importPaths(paths)
    return paths.length
  })
  answer('alcove:import-paths', (paths) => {
    if (paths.length > 0) services.importPaths(paths)
    return paths.length
  })
  answer('alcove:window', (action, caller) => {
    const window = windowOf(caller.sender)
    if (window !== null) act(window, action)
    return null
  })
}

/** Only the app's own document in its top frame: an embedded or foreign frame has nothing to ask. */
function requireOwnPage(event: Caller): void {
  const frame = event.senderFrame
  if (frame === null || frame !== event.sender.mainFrame || !isAppPage(frame.url)) {
    throw new AlcoveError('auth/forbidden', 'Only the window of Alcove itself may ask this.')
  }
}

function act(window: Electron.BrowserWindow, action: WindowAction): void {
  switch (action) {
    case 'minimize':
      return window.minimize()
    case 'toggle-maximize':
      return window.isMaximized() ? window.unmaximize() : window.maximize()
    case 'toggle-full-screen':
      return window.setFullScreen(!window.isFullScreen())
    case 'close':
      return window.close()
  }
}
