import { join, sep } from 'node:path'

const fromSource = import.meta.url.endsWith('.ts')
/** Folder of package.json: this file is main/app-paths.ts, or part of a bundle in dist/main. */
const root = fromSource ? join(import.meta.dirname, '..') : join(import.meta.dirname, '..', '..')

/** Files that native code opens by path cannot lie in Electron's archive; the packager puts them beside it. */
function unpacked(path: string): string {
  return path.replace(`app.asar${sep}`, `app.asar.unpacked${sep}`)
}

export const APP_PATHS = {
  /** Model packages that come with the application. */
  bundledModels: unpacked(join(root, 'resources', 'models')),
  /** Build of the window; `npm run build` makes it. */
  renderer: join(root, 'dist', 'renderer'),
} as const

/** Places within a data folder. */
export function dataPaths(dataDir: string): { models: string; settings: string; logs: string } {
  return {
    models: join(dataDir, 'models'),
    settings: join(dataDir, 'settings.json'),
    logs: join(dataDir, 'logs'),
  }
}
