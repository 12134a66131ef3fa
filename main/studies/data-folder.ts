import Database from 'better-sqlite3-multiple-ciphers'
import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AlcoveError } from '#common/errors.ts'
import { createFileAtomic } from '#node/files/atomic-file.ts'
import type { SealedKey, Vault } from '../vault/types.ts'
import { CAPSULE_CACHE_BYTES, CAPSULE_PAGE_BYTES, capsuleKeyContext } from './capsule-format.ts'
import type { CapsuleRow } from './catalogue.ts'
import { openDatabase, withStoreErrors } from './database.ts'
import type { Cipher, Connection } from './database.ts'

const CATALOGUE_KEY_CONTEXT = 'catalogue-key'
const KEY_BYTES = 32

export function cataloguePath(dataDir: string): string {
  return join(dataDir, 'catalogue.db')
}

export function studiesFolder(dataDir: string): string {
  return join(dataDir, 'studies')
}

export function capsulePath(dataDir: string, capsule: string): string {
  return join(studiesFolder(dataDir), `${capsule}.db`)
}

/** Lies beside a capsule while it is being written: what the next start has to look at. */
export function pendingPath(dataDir: string, capsule: string): string {
  return join(studiesFolder(dataDir), `${capsule}.pending`)
}

/**
 * Takes the folder for this process until the returned function is called. The lock is the operating system's on a file
 * without content, so it ends with the process however that ends.
 * @throws AlcoveError store/in-use
 */
export async function holdFolder(dataDir: string): Promise<() => void> {
  await mkdir(studiesFolder(dataDir), { recursive: true, mode: 0o700 })
  const lock = new Database(join(dataDir, 'in-use.lock'), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new AlcoveError(
      'store/in-use',
      'Another Alcove has this data folder open. Close it, or give another --data-dir.',
      { cause },
    )
  }
  return () => lock.close()
}

const keyFileSchema = z.object({
  format: z.literal(1),
  cipher: z.enum(['aegis-256', 'sqlcipher']),
  sealedKey: z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')) as SealedKey),
})

async function readKeyFile(path: string): Promise<z.infer<typeof keyFileSchema> | null> {
  let content: string
  try {
    content = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    return keyFileSchema.parse(JSON.parse(content))
  } catch (cause) {
    throw new AlcoveError('vault/corrupt', 'catalogue.key in the data folder is damaged. Restore it from a backup.', {
      cause,
    })
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}

export interface CatalogueSeal {
  sealedKey: SealedKey
  cipher: Cipher
}

/**
 * The catalogue's sealed key, made in an empty folder and never anew beside data an earlier one encrypted.
 * @throws AlcoveError vault/key-missing, vault/corrupt, store/corrupt (the catalogue is gone)
 */
export async function catalogueSeal(dataDir: string, vault: Vault, cipher: Cipher): Promise<CatalogueSeal> {
  const path = join(dataDir, 'catalogue.key')
  const stored = await readKeyFile(path)
  const catalogueThere = await exists(cataloguePath(dataDir))
  const capsules = (await readdir(studiesFolder(dataDir)).catch(() => [])).filter((name) => name.endsWith('.db'))
  if (!catalogueThere && capsules.length > 0)
    throw new AlcoveError(
      'store/corrupt',
      'catalogue.db is gone while studies are there. Restore it from a backup; nothing was changed.',
    )
  if (stored !== null) return stored
  if (catalogueThere)
    throw new AlcoveError(
      'vault/key-missing',
      'catalogue.key is gone. Restore it from a backup; the studies are untouched.',
    )
  const key = new Uint8Array(randomBytes(KEY_BYTES))
  const sealedKey = vault.seal(key, CATALOGUE_KEY_CONTEXT)
  key.fill(0)
  const text = Buffer.from(sealedKey).toString('base64')
  await createFileAtomic(path, `${JSON.stringify({ format: 1, cipher, sealedKey: text }, null, 2)}\n`)
  return { sealedKey, cipher }
}

/** @throws AlcoveError vault/locked, vault/wrong-key */
export function openCatalogueKey(vault: Vault, seal: CatalogueSeal): Uint8Array {
  return vault.open(seal.sealedKey, CATALOGUE_KEY_CONTEXT)
}

/** Removes a capsule's file and everything SQLite may have put beside it. */
export function removeCapsuleFiles(dataDir: string, capsule: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm'])
    rmSync(`${capsulePath(dataDir, capsule)}${suffix}`, { force: true })
  rmSync(pendingPath(dataDir, capsule), { force: true })
}

/** Takes out of a capsule what the catalogue does not know: the remains of an import that was cut off. */
export function removeOrphans(capsule: Connection, rows: readonly number[]): void {
  withStoreErrors(() => {
    const known = JSON.stringify(rows)
    capsule.exec('BEGIN IMMEDIATE')
    try {
      capsule.prepare('DELETE FROM part WHERE instance NOT IN (SELECT value FROM json_each(?))').run(known)
      capsule.prepare('DELETE FROM instance WHERE id NOT IN (SELECT value FROM json_each(?))').run(known)
      capsule.exec('COMMIT')
    } catch (error) {
      if (capsule.inTransaction) capsule.exec('ROLLBACK')
      throw error
    }
  })
}

export function knownRows(catalogue: Connection, capsule: string): number[] {
  return withStoreErrors(() =>
    catalogue
      .prepare<[string], number>(
        `SELECT i.capsule_row FROM instance i JOIN series e ON e.id = i.series JOIN study s ON s.id = e.study
         WHERE s.capsule = ?`,
      )
      .pluck()
      .all(capsule),
  )
}

/**
 * Ends what a kill or a power cut left half done: capsules never acknowledged are removed, half-written ones cleaned,
 * deletions whose key is destroyed finished. A capsule file the catalogue does not know and that was not being written
 * is left alone: it may belong to a newer catalogue than the one restored here.
 */
export function recover(dataDir: string, catalogue: Connection, vault: Vault): void {
  const select = catalogue.prepare<[string], CapsuleRow>(
    'SELECT id, sealed_key AS sealedKey, cipher FROM capsule WHERE id = ?',
  )
  for (const name of readdirSync(studiesFolder(dataDir))) {
    const id = /^([0-9a-f]{32})\.pending$/.exec(name)?.[1]
    if (id === undefined) continue
    const row = withStoreErrors(() => select.get(id))
    if (row === undefined) removeCapsuleFiles(dataDir, id)
    else {
      cleanCapsule(dataDir, catalogue, row, vault)
      rmSync(pendingPath(dataDir, id), { force: true })
    }
  }
  const shredded = withStoreErrors(() => catalogue.prepare<[], string>('SELECT capsule FROM shredded').pluck().all())
  for (const id of shredded) {
    removeCapsuleFiles(dataDir, id)
    withStoreErrors(() => catalogue.prepare('DELETE FROM shredded WHERE capsule = ?').run(id))
  }
}

function cleanCapsule(dataDir: string, catalogue: Connection, row: CapsuleRow, vault: Vault): void {
  const key = vault.open(row.sealedKey, capsuleKeyContext(row.id))
  const capsule = openDatabase(capsulePath(dataDir, row.id), {
    key,
    cipher: row.cipher,
    pageBytes: CAPSULE_PAGE_BYTES,
    cacheBytes: CAPSULE_CACHE_BYTES,
    mode: 'write',
  })
  key.fill(0)
  try {
    removeOrphans(capsule, knownRows(catalogue, row.id))
    // Removes the journal file, which opening for writing has already rolled back.
    withStoreErrors(() => capsule.pragma('journal_mode = DELETE'))
  } finally {
    capsule.close()
  }
}
