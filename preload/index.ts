import { contextBridge, ipcRenderer, webUtils } from 'electron'
import type { AlcoveBridge, BridgeEvents, BridgeRequests, MenuAction } from '#common/contract/bridge.ts'

// Channel names only pass through these two functions, so that a page can reach no channel but the typed ones.
function request<Channel extends keyof BridgeRequests>(
  channel: Channel,
  argument: BridgeRequests[Channel]['argument'],
): Promise<BridgeRequests[Channel]['answer']> {
  return ipcRenderer.invoke(channel, argument) as Promise<BridgeRequests[Channel]['answer']>
}

function listen<Channel extends keyof BridgeEvents>(
  channel: Channel,
  listener: (payload: BridgeEvents[Channel]) => void,
): () => void {
  // The Electron event carries `sender`, which a page must never hold: only the payload goes on.
  const handler = (_event: unknown, payload: BridgeEvents[Channel]): void => listener(payload)
  ipcRenderer.on(channel, handler)
  return () => {
    ipcRenderer.removeListener(channel, handler)
  }
}

const bridge: AlcoveBridge<File> = {
  shell: 'electron',
  pathOfFile(file) {
    const path = webUtils.getPathForFile(file)
    return path === '' ? null : path
  },
  importDialog: (kind) => request('alcove:import-dialog', kind),
  importPaths: (paths) => request('alcove:import-paths', paths),
  windowAction: (action) => request('alcove:window', action),
  onMenu: (listener: (action: MenuAction) => void) => listen('alcove:menu', listener),
}

contextBridge.exposeInMainWorld('alcove', bridge)
