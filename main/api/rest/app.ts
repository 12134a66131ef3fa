import { openApiDocument } from '../openapi.ts'
import type { Handlers } from './handler.ts'

const NOTICE = 'Research software. Not a medical device; not for clinical use.'

export const appHandlers: Pick<Handlers, 'appInfo' | 'doctor' | 'openapi' | 'getSettings' | 'patchSettings'> = {
  appInfo(_, { workstation, shell }) {
    const { state, providerDetail } = workstation.vault.status()
    return {
      name: 'Alcove',
      version: workstation.version,
      shell,
      platform: `${process.platform}-${process.arch}`,
      vault: { state, provider: providerDetail },
      dataDir: workstation.dataDir,
      notice: NOTICE,
    }
  },
  doctor: (_, { doctor }) => doctor(),
  openapi: (_, { workstation }) => openApiDocument(workstation.version),
  getSettings: (_, { workstation }) => workstation.settings.get(),
  patchSettings({ body }, { workstation }) {
    const change = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
    return workstation.settings.update(change)
  },
}
