/**
 * What a page cannot do by itself and the Electron preload does for it. In a browser window (`npm start` without
 * Electron's runtime, `alcove serve`) `window.alcove` is undefined and the page uses what browsers offer.
 * No zod here: the preload is one small sandboxed file; the main process checks every argument on its side.
 */

export type ImportDialogKind = 'files' | 'folder'
export type WindowAction = 'minimize' | 'toggle-maximize' | 'toggle-full-screen' | 'close'

/** Native menu entries that the page answers. */
export type MenuAction = 'worklist' | 'settings' | 'shortcuts' | 'about'

/** Page asks, main process answers (`ipcRenderer.invoke`): every channel with its argument and its answer. */
export interface BridgeRequests {
  /** Shows the native dialog and imports what was chosen; the answer is the number of chosen paths (0: cancelled). */
  'alcove:import-dialog': { argument: ImportDialogKind; answer: number }
  /** Imports dropped files and folders by their real paths; progress comes as a task event. */
  'alcove:import-paths': { argument: string[]; answer: number }
  'alcove:window': { argument: WindowAction; answer: null }
}

/** Main process tells, page listens. */
export interface BridgeEvents {
  'alcove:menu': MenuAction
}

export const BRIDGE_REQUESTS = [
  'alcove:import-dialog',
  'alcove:import-paths',
  'alcove:window',
] as const satisfies (keyof BridgeRequests)[]
export const BRIDGE_EVENTS = ['alcove:menu'] as const satisfies (keyof BridgeEvents)[]

/** `window.alcove` inside Electron. `File` is the page's own type: `common/` knows no DOM. */
export interface AlcoveBridge<File = unknown> {
  readonly shell: 'electron'
  /** The real path of a dropped or chosen file or folder; null for a file that exists only in memory. */
  pathOfFile(file: File): string | null
  importDialog(kind: ImportDialogKind): Promise<number>
  importPaths(paths: string[]): Promise<number>
  windowAction(action: WindowAction): Promise<null>
  /** Returns the unsubscribe function. */
  onMenu(listener: (action: MenuAction) => void): () => void
}
