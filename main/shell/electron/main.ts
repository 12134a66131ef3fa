import { join } from 'node:path'
import * as electron from 'electron'
import { toAlcoveError } from '#common/errors.ts'
import { resolveDataDir } from '#node/config/data-dir.ts'
import { runElectronApp } from './app.ts'
import { openElectronServices } from './open-services.ts'

// Not awaited: Electron becomes ready only after this module has been evaluated, and the app waits for that.
runElectronApp({
  electron,
  // From a checkout the app's own folder stands before the arguments.
  args: process.argv.slice(electron.app.isPackaged ? 1 : 2),
  cwd: process.cwd(),
  dataDir: (flag) => resolveDataDir(flag === null ? {} : { flag }),
  openServices: openElectronServices,
  // This file becomes dist/main/electron.js.
  preload: join(import.meta.dirname, '..', 'preload', 'index.cjs'),
  dev: !electron.app.isPackaged,
}).catch((error: unknown) => {
  electron.dialog.showErrorBox('Alcove cannot go on', toAlcoveError(error).message)
  electron.app.exit(1)
})
