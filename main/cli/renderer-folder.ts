import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { APP_PATHS } from '../app-paths.ts'

/** The window's build, or null when it has not been built (the API works without). */
export async function existingRenderer(): Promise<string | null> {
  return access(join(APP_PATHS.renderer, 'index.html')).then(
    () => APP_PATHS.renderer,
    () => null,
  )
}
