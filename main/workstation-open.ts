import { settingsSchema } from '#common/contract/settings.ts'
import { openJsonStore } from '#node/config/json-store.ts'
import { type Logger, SILENT_LOGGER } from '#node/log/logger.ts'
import { APP_PATHS, dataPaths } from './app-paths.ts'
import type { EngineSpawner } from './inference/host/spawner.ts'
import { createInferenceService } from './inference/service.ts'
import type { InferenceService } from './inference/types.ts'
import { openModelRegistry } from './models/registry.ts'
import { openStudies } from './studies/open-studies.ts'
import { openVault } from './vault/open-vault.ts'
import { VERSION } from './version.ts'
import { createEventBus } from './workstation-events.ts'
import { createTaskManager } from './workstation-tasks.ts'
import type { EventBus, Workstation } from './workstation.ts'

export interface OpenWorkstationOptions {
  dataDir: string
  /** For data folders that keep their key by passphrase; a function is asked again at each unlock. */
  passphrase?: string | (() => Promise<string>)
  /** Makes a new, empty workstation in a folder that holds none. */
  createIfMissing?: boolean
  logger?: Logger
  /** How the inference process is started; Electron's shell gives its own. */
  spawner?: EngineSpawner
}

/** Tells everyone that a study has new findings, whoever asked for them. */
function announced(inference: InferenceService, events: EventBus): InferenceService {
  return {
    async run(request, options) {
      const run = await inference.run(request, options)
      events.publish({ type: 'findings-changed', studyInstanceUID: run.studyInstanceUID })
      return run
    },
    providers: () => inference.providers(),
    close: () => inference.close(),
  }
}

/**
 * Opens everything a data folder holds and wires it together.
 * @throws AlcoveError vault/*, store/* (in use, newer version, corrupt), not-found when there is nothing and
 *   `createIfMissing` is not set
 */
export async function openWorkstation(options: OpenWorkstationOptions): Promise<Workstation> {
  const { dataDir } = options
  const logger = options.logger ?? SILENT_LOGGER
  const paths = dataPaths(dataDir)
  const vault = await openVault(dataDir, {
    ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
    createIfMissing: options.createIfMissing === true,
  })
  const settings = await openJsonStore(paths.settings, settingsSchema)
  const events = createEventBus((error) => logger.error({ err: error }, 'An event listener failed'))
  const tasks = createTaskManager(events, {
    onFailure: (task, error) => logger.error({ task: task.id, kind: task.kind, err: error }, 'A task failed'),
  })
  const models = await openModelRegistry({ bundledDir: APP_PATHS.bundledModels, installedDir: paths.models })
  const { studies, importer, warm } = await openStudies({
    dataDir,
    vault,
    cipher: settings.get().cipher,
    onChange: (studyInstanceUIDs) => events.publish({ type: 'studies-changed', studyInstanceUIDs }),
  })
  const inference = createInferenceService({
    studies,
    importer,
    models,
    settings: () => settings.get(),
    version: VERSION,
    ...(options.spawner === undefined ? {} : { spawner: options.spawner }),
  })
  logger.info({ vault: vault.status().state, provider: vault.status().provider }, 'Workstation opened')
  return {
    dataDir,
    version: VERSION,
    vault,
    studies,
    importer,
    models,
    inference: announced(inference, events),
    tasks,
    events,
    settings,
    warm,
    async close() {
      // In this order: what works stops, then what it works on is closed, then the key is forgotten.
      await tasks.close()
      await inference.close()
      await studies.close()
      vault.lock()
      logger.info({}, 'Workstation closed')
    },
  }
}
