import { join } from 'node:path'
import { utilityProcess } from 'electron'
import { createLogger } from '#node/log/logger.ts'
import { createApi } from '../../api/create-api.ts'
import { APP_PATHS, dataPaths } from '../../app-paths.ts'
import { readPassphraseFile } from '../../vault/passphrase-file.ts'
import { diagnose } from '../../workstation-doctor.ts'
import { openWorkstation } from '../../workstation-open.ts'
import { type AppServices, workstationServices } from '../app-services.ts'
import type { Launch } from './arguments.ts'
import { utilitySpawner } from './engine-spawner.ts'

/** The workstation inside Electron's main process, its inference in a utilityProcess. */
export async function openElectronServices(dataDir: string, launch: Launch): Promise<AppServices> {
  const { passphraseFile } = launch
  const logger = await createLogger({ file: join(dataPaths(dataDir).logs, 'alcove.log') })
  const workstation = await openWorkstation({
    dataDir,
    logger,
    createIfMissing: true,
    spawner: utilitySpawner(utilityProcess),
    ...(passphraseFile === null ? {} : { passphrase: () => readPassphraseFile(passphraseFile) }),
  })
  const handler = createApi(workstation, {
    shell: 'electron',
    rendererDir: APP_PATHS.renderer,
    logger,
    doctor: () => diagnose({ dataDir, workstation }),
  })
  return workstationServices(workstation, handler)
}
