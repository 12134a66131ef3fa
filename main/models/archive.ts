import { createWriteStream } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { openPromise, type Entry, type ZipFile } from 'yauzl'
import { AlcoveError, isAlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'

/** A model package has a handful of files; more is not a model package. */
const MAX_ENTRIES = 1_000
const UNIX_TYPE_MASK = 0o170000
const UNIX_SYMLINK = 0o120000

function refuse(message: string, cause?: unknown): AlcoveError {
  return new AlcoveError('model/invalid-package', message, cause === undefined ? undefined : { cause })
}

function isSymlink(entry: Entry): boolean {
  return ((entry.externalFileAttributes >>> 16) & UNIX_TYPE_MASK) === UNIX_SYMLINK
}

/** Path below the target folder; null for hidden files, which archivers add. `prefix` is the ZIP's one top folder. */
function safeName(entry: Entry, prefix: string): string | null {
  const name = entry.fileName.slice(prefix.length)
  const parts = name.split('/')
  if (parts.some((part) => part === '' || part === '..' || !/^[\w.\- ()]+$/.test(part)))
    throw refuse('The ZIP holds a file with an unsafe path.')
  return parts.some((part) => part.startsWith('.')) ? null : name
}

async function extractEntry(zip: ZipFile, entry: Entry, target: string, bytesLeft: number): Promise<number> {
  let written = 0
  // The size in the directory may lie, so the stream itself is counted.
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      written += chunk.length
      done(written > bytesLeft ? refuse('The ZIP unpacks to more than a model package may hold.') : null, chunk)
    },
  })
  await mkdir(dirname(target), { recursive: true })
  await pipeline(
    await zip.openReadStreamPromise(entry),
    counted,
    createWriteStream(target, { flags: 'wx', mode: 0o600 }),
  )
  return written
}

async function readEntries(path: string): Promise<{ zip: ZipFile; entries: Entry[] }> {
  const zip = await openPromise(path, { autoClose: false, strictFileNames: true })
  try {
    if (zip.entryCount > MAX_ENTRIES) throw refuse('The ZIP holds far more files than a model package.')
    const entries: Entry[] = []
    for await (const entry of zip.eachEntry()) {
      if (isSymlink(entry)) throw refuse(`The ZIP holds a symbolic link; a model package holds plain files only.`)
      if (entry.isEncrypted()) throw refuse('The ZIP is encrypted; unpack it first.')
      if (!entry.fileName.endsWith('/')) entries.push(entry)
    }
    return { zip, entries }
  } catch (error) {
    zip.close()
    throw error
  }
}

/** "" when manifest.json lies at the top, "folder/" when it lies in the ZIP's only top folder. */
function topFolder(entries: Entry[]): string {
  const names = entries.map((entry) => entry.fileName)
  if (names.includes('manifest.json')) return ''
  const first = names[0]?.split('/')[0]
  if (first !== undefined && names.includes(`${first}/manifest.json`)) return `${first}/`
  throw refuse('The ZIP has no manifest.json: it is not a model package.')
}

/**
 * Unpacks the .zip of a model package into the empty folder `target`.
 * @throws model/invalid-package on links, unsafe paths, encryption, or more than LIMITS.modelBytes
 */
export async function unpackModelArchive(path: string, target: string): Promise<void> {
  try {
    const { zip, entries } = await readEntries(path)
    try {
      const prefix = topFolder(entries)
      const archiveBytes = (await stat(path)).size
      let left = Math.min(LIMITS.modelBytes, archiveBytes * LIMITS.zipExpansionRatio)
      for (const entry of entries) {
        // macOS's archiver adds a parallel folder of resource forks.
        if (!entry.fileName.startsWith(prefix)) continue
        const name = safeName(entry, prefix)
        if (name !== null) left -= await extractEntry(zip, entry, join(target, name), left)
      }
    } finally {
      zip.close()
    }
  } catch (error) {
    if (isAlcoveError(error)) throw error
    throw refuse('The ZIP cannot be read: damaged, or not a ZIP.', error)
  }
}
