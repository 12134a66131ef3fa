import { randomUUID } from 'node:crypto'
import { copyFile, lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { InstalledModel } from '#common/contract/inference.ts'
import { AlcoveError, isAlcoveError } from '#common/errors.ts'
import { compareVersions } from '#common/model/version.ts'
import type { InstalledPackage, ModelRegistry } from './types.ts'
import { unpackModelArchive } from './archive.ts'
import {
  CARD_FILE,
  MANIFEST_FILE,
  modelDigest,
  packageFiles,
  readManifest,
  regularFileBytes,
  verifyFiles,
} from './package.ts'

/** Folders of an install or removal that has not finished; never listed, cleared at the next start. */
const PENDING_PREFIX = '.pending-'

export interface ModelRegistryOptions {
  /** Packages that come with the application: `<bundledDir>/<any name>/manifest.json`. Read only. */
  bundledDir: string
  /** Packages people install: `<installedDir>/<id>/<version>/`. Made by the first install. */
  installedDir: string
}

type Source = InstalledPackage['source']

async function subfolders(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(directory, entry.name))
    .toSorted()
}

function describe({ manifest, source, digest }: InstalledPackage): InstalledModel {
  const { id, version, title, summary, task } = manifest
  const modalities = [...new Set(manifest.inputs.flatMap((input) => input.modalities))]
  return { id, version, title, summary, task, modalities, digest, source }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * The models of this workstation: those bundled with the application and those installed by people, several versions
 * side by side. A package is verified wholly when installed and again, before it is handed out, whenever its files
 * have changed on disk.
 */
export async function openModelRegistry(options: ModelRegistryOptions): Promise<ModelRegistry> {
  const { bundledDir, installedDir } = options
  // Nothing is made before something is installed: a doctor, or a list, leaves no trace.
  const leftovers = await readdir(installedDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const name of leftovers)
    if (name.startsWith(PENDING_PREFIX)) await rm(join(installedDir, name), { recursive: true, force: true })

  /** Folder → what its files looked like (names, sizes, times) when their digests were last verified. */
  const verified = new Map<string, string>()

  async function load(directory: string, source: Source): Promise<InstalledPackage> {
    const manifest = await readManifest(directory)
    return { manifest, directory, source, digest: modelDigest(manifest) }
  }

  /** Every package whose manifest reads; a broken one is left out here and explained by `find` when asked for by id. */
  async function packages(): Promise<{
    found: InstalledPackage[]
    broken: { directory: string; error: AlcoveError }[]
  }> {
    const found: InstalledPackage[] = []
    const broken: { directory: string; error: AlcoveError }[] = []
    const candidates: [string, Source][] = []
    for (const folder of await subfolders(bundledDir)) candidates.push([folder, 'bundled'])
    for (const id of await subfolders(installedDir))
      for (const folder of await subfolders(id)) candidates.push([folder, 'installed'])
    for (const [directory, source] of candidates) {
      if (!(await exists(join(directory, MANIFEST_FILE)))) continue
      try {
        found.push(await load(directory, source))
      } catch (error) {
        if (!isAlcoveError(error)) throw error
        broken.push({ directory, error })
      }
    }
    found.sort(
      (a, b) => a.manifest.id.localeCompare(b.manifest.id) || compareVersions(b.manifest.version, a.manifest.version),
    )
    return { found, broken }
  }

  async function fingerprint(directory: string, names: string[]): Promise<string> {
    const parts = names.map(async (name) => {
      const info = await stat(join(directory, name)).catch(() => null)
      return info === null ? `${name}:absent` : `${name}:${info.size}:${info.mtimeMs}:${info.ino}`
    })
    return (await Promise.all(parts)).join('|')
  }

  async function ensureVerified(candidate: InstalledPackage): Promise<void> {
    const { directory, manifest } = candidate
    const now = await fingerprint(directory, packageFiles(manifest))
    if (verified.get(directory) === now) return
    await verifyFiles(directory, manifest)
    verified.set(directory, now)
  }

  async function locate(id: string, version: string | null): Promise<InstalledPackage> {
    const { found, broken } = await packages()
    const match = found.find(({ manifest }) => manifest.id === id && (version ?? manifest.version) === manifest.version)
    if (match !== undefined) return match
    const damaged = broken.find(({ directory }) => directory.split(/[/\\]/).includes(id))
    if (damaged !== undefined) throw damaged.error
    const named = version === null ? id : `${id} ${version}`
    throw new AlcoveError('not-found', `There is no model ${named} here; "alcove models list" shows those there are.`)
  }

  /** Copies the manifest and the files it names, and nothing else, from one folder into another. */
  async function copyPackage(from: string, to: string): Promise<void> {
    const manifest = await readManifest(from)
    for (const name of packageFiles(manifest)) {
      // Checked before copying, so that a link to a device or to someone else's file is never followed.
      await regularFileBytes(from, name)
      await mkdir(dirname(join(to, name)), { recursive: true })
      await copyFile(join(from, name), join(to, name))
    }
  }

  async function install(path: string): Promise<InstalledModel> {
    const info = await stat(path).catch((error: unknown) => {
      throw new AlcoveError('not-found', 'There is no such model package.', { cause: error })
    })
    const pending = join(installedDir, `${PENDING_PREFIX}${randomUUID()}`)
    const unpacked = join(pending, 'unpacked')
    const staging = join(pending, 'package')
    try {
      await mkdir(staging, { recursive: true })
      if (!info.isDirectory()) await unpackModelArchive(path, unpacked)
      await copyPackage(info.isDirectory() ? path : unpacked, staging)
      // Verified after the copy: what is checked is what is installed.
      const manifest = await readManifest(staging)
      await verifyFiles(staging, manifest)
      const { id, version } = manifest
      const target = join(installedDir, id, version)
      const { found } = await packages()
      const present = found.find((other) => other.manifest.id === id && other.manifest.version === version)
      if (present !== undefined) {
        if (isDeepStrictEqual(present.manifest, manifest)) return describe(present)
        throw new AlcoveError(
          'store/conflict',
          `Another package calls itself ${id} ${version} already (${present.source}); a changed model needs a new version.`,
        )
      }
      for (const name of packageFiles(manifest)) await syncToDisk(join(staging, name))
      // A folder that holds no readable package (left by a crash or by hand) makes way.
      await rm(target, { recursive: true, force: true })
      await mkdir(dirname(target), { recursive: true })
      await rename(staging, target)
      return describe(await load(target, 'installed'))
    } finally {
      await rm(pending, { recursive: true, force: true })
    }
  }

  let last: Promise<unknown> = Promise.resolve()
  /** One change at a time: two installs of one version must not both find its place free. */
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = last.then(change, change)
    last = turn.catch(() => undefined)
    return turn
  }

  return {
    async list() {
      return (await packages()).found.map(describe)
    },

    async find(id, version) {
      const match = await locate(id, version)
      await ensureVerified(match)
      return match
    },

    install: (path) => inTurn(() => install(path)),

    remove: (id, version) =>
      inTurn(async () => {
        const match = await locate(id, version)
        if (match.source === 'bundled')
          throw new AlcoveError('auth/forbidden', `${id} ${version} comes with the application and cannot be removed.`)
        const going = join(installedDir, `${PENDING_PREFIX}${randomUUID()}`)
        await rename(match.directory, going)
        verified.delete(match.directory)
        await rm(going, { recursive: true, force: true })
      }),

    async card(id, version) {
      const match = await locate(id, version)
      await ensureVerified(match)
      return readFile(join(match.directory, CARD_FILE), 'utf8')
    },
  }
}
