import { create } from 'zustand'
import type { AppInfo } from '#common/contract/settings.ts'

export type DialogName = 'shortcuts' | 'about' | 'settings' | null

interface AppState {
  info: AppInfo | null
  trouble: { code: string; message: string } | null
  dialog: DialogName
}

export const useApp = create<AppState>()(() => ({ info: null, trouble: null, dialog: null }))

export function openDialog(dialog: DialogName): void {
  useApp.setState({ dialog })
}
