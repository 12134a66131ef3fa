import { access, constants, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DoctorCheck, DoctorReport } from '#common/contract/doctor.ts'
import { toAlcoveError } from '#common/errors.ts'
import { APP_PATHS, dataPaths } from './app-paths.ts'
import { createEngineHost } from './inference/host/engine-host.ts'
import { forkEngine } from './inference/host/spawner.ts'
import { backendsResultSchema } from './inference/messages.ts'
import { openModelRegistry } from './models/registry.ts'
import { processEntry } from './process-entry.ts'
import { findBrowser } from './shell/chromium/find-browser.ts'
import { VERSION } from './version.ts'
import type { Workstation } from './workstation.ts'
import { readVaultFile } from './vault/vault-file.ts'

const LOW_DISK_BYTES = 5 * 1024 ** 3
const NO_DISK_BYTES = 200 * 1024 ** 2
const KEYCHAIN_TIMEOUT_MS = 3_000
const ENGINE_TIMEOUT_MS = 30_000

export interface DiagnoseInput {
  dataDir: string
  /** The open workstation, or null: then nothing is unlocked and nothing made. */
  workstation: Workstation | null
}

type Finding = Omit<DoctorCheck, 'id' | 'title'>

const ok = (detail: string): Finding => ({ state: 'ok', detail, next: null })
const warning = (detail: string, next: string): Finding => ({ state: 'warning', detail, next })
const failed = (detail: string, next: string): Finding => ({ state: 'failed', detail, next })

async function runtime(): Promise<Finding> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const electron = process.versions['electron']
  const name = electron === undefined ? `Node ${process.versions.node}` : `Electron ${electron}`
  const detail = `Alcove ${VERSION} on ${name}, ${process.platform}-${process.arch}`
  return major > 22 || (major === 22 && minor >= 12)
    ? ok(detail)
    : failed(detail, 'Start Alcove by its launcher, which brings a newer Node.')
}

async function sqlite(): Promise<Finding> {
  const { sqliteVersion } = await import('./studies/database.ts')
  return ok(`SQLite ${sqliteVersion()} with page encryption`)
}

/** The nearest folder that exists: the data folder itself may not have been made yet. */
async function existingFolder(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder).then(
      () => true,
      () => false,
    )
    if (found || dirname(folder) === folder) return folder
  }
}

async function dataFolder(dataDir: string): Promise<Finding> {
  const folder = await existingFolder(dataDir)
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!writable) return failed(`${folder} cannot be written.`, 'Choose another with --data-dir or ALCOVE_HOME.')
  if (folder !== dataDir) return ok(`${dataDir} will be made when first used`)
  const { mode } = await stat(folder)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    return warning(`${dataDir} can be read by other users.`, `chmod 700 ${dataDir}`)
  }
  return ok(dataDir)
}

async function disk(dataDir: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await existingFolder(dataDir))
  const free = bavail * bsize
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free`
  if (free < NO_DISK_BYTES) return failed(detail, 'Free space on this disk; imports will fail.')
  return free < LOW_DISK_BYTES ? warning(detail, 'Free space soon.') : ok(detail)
}

async function vault({ dataDir, workstation }: DiagnoseInput): Promise<Finding> {
  if (workstation !== null) {
    const { state, providerDetail, identity } = workstation.vault.status()
    return ok(`${state}, identity ${identity}, key in ${providerDetail}`)
  }
  const file = await readVaultFile(dataDir)
  return file === null
    ? ok('none yet; made by the first import')
    : ok(`key kept by ${file.provider.kind}${file.provider.kind === 'passphrase' ? ' (--passphrase-file)' : ''}`)
}

/** Reads an entry that does not exist: a keychain that answers "no such entry" works. */
async function keychain(): Promise<Finding> {
  const { AsyncEntry } = await import('@napi-rs/keyring')
  try {
    // Without any session bus already the constructor throws.
    const entry = new AsyncEntry('Alcove', 'doctor', { linux: { store: 'secret-service' } })
    await entry.getSecret(AbortSignal.timeout(KEYCHAIN_TIMEOUT_MS))
    return ok('answers')
  } catch {
    return warning(
      'No keychain answers on this machine.',
      'Use --passphrase-file FILE, or start a keychain (gnome-keyring, KWallet).',
    )
  }
}

async function browser(): Promise<Finding> {
  const found = await findBrowser()
  return found === null
    ? warning('No Chromium, Chrome or Edge found.', 'Install one for the window, or use "alcove serve".')
    : ok(`${found.name} at ${found.path}`)
}

async function providers(workstation: Workstation | null): Promise<Finding> {
  if (workstation !== null) {
    const list = await workstation.inference.providers()
    const working = list.filter((provider) => provider.available).map((provider) => provider.provider)
    return working.length > 0
      ? ok(working.join(', '))
      : failed('No provider starts.', list.map((provider) => provider.note).join(' '))
  }
  const host = createEngineHost({ spawner: forkEngine, entry: processEntry('inference-engine') })
  try {
    const answer = await host.request({ type: 'backends' }, backendsResultSchema, { stallMs: ENGINE_TIMEOUT_MS })
    return ok(`${answer.runtime}, built for ${answer.providers.join(', ')}; a run tries them and says which started`)
  } finally {
    await host.close()
  }
}

async function models(dataDir: string): Promise<Finding> {
  const registry = await openModelRegistry({
    bundledDir: APP_PATHS.bundledModels,
    installedDir: dataPaths(dataDir).models,
  })
  const list = await registry.list()
  for (const { id, version } of list) await registry.find(id, version)
  return list.length === 0
    ? warning('No models are installed.', 'alcove models install PATH')
    : ok(list.map(({ id, version }) => `${id}@${version}`).join(', '))
}

async function window(): Promise<Finding> {
  return access(join(APP_PATHS.renderer, 'index.html')).then(
    () => ok('built'),
    () => warning('The window has not been built.', 'npm run build'),
  )
}

/** Looks at everything Alcove stands on. Changes nothing, unlocks nothing, and no check can stop another. */
export async function diagnose(input: DiagnoseInput): Promise<DoctorReport> {
  const list: [id: string, title: string, check: () => Promise<Finding>][] = [
    ['runtime', 'Runtime', runtime],
    ['sqlite', 'Storage engine', sqlite],
    ['data-folder', 'Data folder', () => dataFolder(input.dataDir)],
    ['disk', 'Disk', () => disk(input.dataDir)],
    ['vault', 'Vault', () => vault(input)],
    ['keychain', 'Keychain', keychain],
    ['browser', 'Browser', browser],
    ['window', 'Window', window],
    ['inference', 'Inference', () => providers(input.workstation)],
    ['models', 'Models', () => models(input.dataDir)],
  ]
  const checks: DoctorCheck[] = []
  for (const [id, title, check] of list) {
    const finding = await check().catch((error: unknown) =>
      failed(toAlcoveError(error).message, 'See the log, or report this.'),
    )
    checks.push({ id, title, ...finding })
  }
  return { healthy: checks.every((check) => check.state !== 'failed'), checks }
}
