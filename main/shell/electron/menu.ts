import type * as Electron from 'electron'
import type { ImportDialogKind, MenuAction } from '#common/contract/bridge.ts'

export interface MenuActions {
  import(kind: ImportDialogKind): void
  page(action: MenuAction): void
}

/** No accelerator here is a bare key: those belong to the viewer. */
export function menuTemplate(
  platform: NodeJS.Platform,
  dev: boolean,
  actions: MenuActions,
): Electron.MenuItemConstructorOptions[] {
  const separator: Electron.MenuItemConstructorOptions = { type: 'separator' }
  const developer: Electron.MenuItemConstructorOptions[] = dev
    ? [separator, { role: 'reload' }, { role: 'toggleDevTools' }]
    : []
  return [
    ...(platform === 'darwin' ? [{ role: 'appMenu' as const }] : []),
    {
      label: '&File',
      submenu: [
        { label: 'Import &Files…', accelerator: 'CmdOrCtrl+O', click: () => actions.import('files') },
        { label: 'Import F&older…', accelerator: 'CmdOrCtrl+Shift+O', click: () => actions.import('folder') },
        separator,
        platform === 'darwin' ? { role: 'close' } : { role: 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: '&View',
      submenu: [
        { label: '&Worklist', accelerator: 'CmdOrCtrl+L', click: () => actions.page('worklist') },
        { label: '&Settings', accelerator: 'CmdOrCtrl+,', click: () => actions.page('settings') },
        separator,
        { role: 'togglefullscreen' },
        ...developer,
      ],
    },
    ...(platform === 'darwin' ? [{ role: 'windowMenu' as const }] : []),
    {
      label: '&Help',
      role: 'help',
      submenu: [
        { label: '&Mouse and Keys', accelerator: 'F1', click: () => actions.page('shortcuts') },
        { label: '&About Alcove', click: () => actions.page('about') },
      ],
    },
  ]
}
