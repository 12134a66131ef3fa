import { readFile } from 'node:fs/promises'
import type * as Electron from 'electron'
import { z } from 'zod'
import { writeFileAtomic } from '#node/files/atomic-file.ts'

const MIN_WIDTH = 1024
const MIN_HEIGHT = 640
/** At least this much of the window must lie on a screen that is there, in both directions. */
const VISIBLE_PX = 120

const stateSchema = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().min(MIN_WIDTH),
  height: z.number().int().min(MIN_HEIGHT),
  maximized: z.boolean(),
})

export type WindowState = z.infer<typeof stateSchema>

export const MINIMUM_SIZE = { minWidth: MIN_WIDTH, minHeight: MIN_HEIGHT }

/** Null when nothing (usable) was saved or the screen it was on is gone: the window then opens maximized. */
export async function loadWindowState(file: string, screens: Electron.Rectangle[]): Promise<WindowState | null> {
  try {
    const state = stateSchema.parse(JSON.parse(await readFile(file, 'utf8')))
    return screens.some((screen) => overlaps(state, screen)) ? state : null
  } catch {
    // The place of a window is no reason to fail a start.
    return null
  }
}

function overlaps(state: WindowState, screen: Electron.Rectangle): boolean {
  const width = Math.min(state.x + state.width, screen.x + screen.width) - Math.max(state.x, screen.x)
  const height = Math.min(state.y + state.height, screen.y + screen.height) - Math.max(state.y, screen.y)
  return width >= VISIBLE_PX && height >= VISIBLE_PX
}

export function saveWindowState(file: string, window: Electron.BrowserWindow): Promise<void> {
  const state: WindowState = { ...window.getNormalBounds(), maximized: window.isMaximized() }
  return writeFileAtomic(file, JSON.stringify(state))
}
