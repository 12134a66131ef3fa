import { join } from 'node:path'
import * as electron from 'electron'
import { toAlcoveError } from '#common/errors.ts'
import { resolveDataDir } from '#node/config/data-dir.ts'
import { createLogger } from '#node/log/logger.ts'
import { createApi } from '../../api/create-api.ts'
import { APP_PATHS, dataPaths } from '../../app-paths.ts'
import { readPassphraseFile } from '../../vault/passphrase-file.ts'
import { diagnose } from '../../workstation-doctor.ts'
import { openWorkstation } from '../../workstation-open.ts'
import { type AppServices, workstationServices } from '../app-services.ts'
import { runElectronApp } from './app.ts'
import type { Launch } from './arguments.ts'
import { utilitySpawner } from './engine-spawner.ts'

/** The workstation inside Electron's main process, its inference in a utilityProcess. */
async function openServices(dataDir: string, launch: Launch): Promise<AppServices> {
  const { passphraseFile } = launch
  const logger = await createLogger({ file: join(dataPaths(dataDir).logs, 'alcove.log') })
  const workstation = await openWorkstation({
    dataDir,
    logger,
    createIfMissing: true,
    spawner: utilitySpawner(electron.utilityProcess),
    ...(passphraseFile === null ? {} : { passphrase: () => readPassphraseFile(passphraseFile) }),
  })
  workstation.warm()
  const handler = createApi(workstation, {
    shell: 'electron',
    rendererDir: APP_PATHS.renderer,
    logger,
    doctor: () => diagnose({ dataDir, workstation }),
  })
  return workstationServices(workstation, handler)
}

// Not awaited: Electron becomes ready only after this module has been evaluated, and the app waits for that.
runElectronApp({
  electron,
  // From a checkout the app's own folder stands before the arguments.
  args: process.argv.slice(electron.app.isPackaged ? 1 : 2),
  cwd: process.cwd(),
  dataDir: (flag) => resolveDataDir(flag === null ? {} : { flag }),
  openServices,
  // This file becomes dist/main/electron.js.
  preload: join(import.meta.dirname, '..', 'preload', 'index.cjs'),
  dev: !electron.app.isPackaged,
}).catch((error: unknown) => {
  electron.dialog.showErrorBox('Alcove cannot go on', toAlcoveError(error).message)
  electron.app.exit(1)
})
