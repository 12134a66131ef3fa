import { createHash } from 'node:crypto'
import { copyFile, cp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { sopInstanceUID, studyInstanceUID } from '#common/ids.ts'
import type { InferenceRun } from '#common/contract/inference.ts'
import { openVault } from '../vault/open-vault.ts'
import { CAPSULE_PAGE_BYTES } from './capsule-format.ts'
import { openCapsule } from './capsule-reader.ts'
import { openDatabase } from './database.ts'
import { openStudies } from './open-studies.ts'
import { makeInstance } from './testing/make-instance.ts'
import { collect, streams, TEST_PASSPHRASE, testStore } from './testing/test-store.ts'
import type { TestStore } from './testing/test-store.ts'

const study = studyInstanceUID('1.2.3.4')
const sop = (number: number) => sopInstanceUID(`1.2.3.4.1.${number}`)
const MARKER = 'VERYSECRETNAME'

/** Pixels that would be found again by a search of the files. */
function pixels(seed: number, length = 200_000): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 7 + seed * 31 + (index >> 8)) & 255))
}

function instance(number: number, length?: number): Buffer {
  return makeInstance({
    sop: sop(number),
    instanceNumber: number,
    patientName: `${MARKER}^A`,
    pixels: pixels(number, length),
  })
}

let store: TestStore
afterEach(() => store.remove())

async function filled(count = 3, cipher?: 'sqlcipher'): Promise<Record<string, Buffer>> {
  store = await testStore(cipher)
  const files = Object.fromEntries(Array.from({ length: count }, (_, index) => [sop(index + 1), instance(index + 1)]))
  const result = await store.importer.import(streams(files))
  expect(result).toMatchObject({ imported: count, duplicates: 0, rejected: [] })
  return files
}

const capsuleFile = async () => {
  const names = await readdir(join(store.dataDir, 'studies'))
  return join(store.dataDir, 'studies', names.find((name) => name.endsWith('.db')) ?? '')
}

describe.each(['aegis-256', 'sqlcipher'] as const)('the store under %s', (cipher) => {
  it('gives every file back byte for byte, its frames and its data set, also after a restart', async () => {
    const files = await filled(3, cipher === 'sqlcipher' ? cipher : undefined)
    for (let round = 0; round < 2; round += 1) {
      for (const [uid, bytes] of Object.entries(files)) {
        expect((await collect(store.studies.file(study, sopInstanceUID(uid)))).equals(bytes)).toBe(true)
        const record = store.studies.instance(study, sopInstanceUID(uid))
        expect(record?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
        expect(record).toMatchObject({ frames: 1, rows: 200, columns: 1000, bytes: bytes.length })
      }
      const frame = await store.studies.frame(study, sop(2), 1)
      expect(Buffer.from(frame.bytes).equals(pixels(2))).toBe(true)
      expect(frame.transferSyntaxUID).toBe('1.2.840.10008.1.2.1')
      const metadata = await store.studies.metadata(study)
      expect(metadata.map((dataset) => dataset['00200013']?.Value)).toEqual([[1], [2], [3]])
      expect(metadata[0]?.['00100010']?.Value).toEqual([{ Alphabetic: `${MARKER}^A` }])
      await store.reopen()
    }
  })

  it('leaves nothing readable on disk: no name, no pixels, no UID, in no file', async () => {
    await filled(3, cipher === 'sqlcipher' ? cipher : undefined)
    const check = async () => {
      const names = (await readdir(store.dataDir, { recursive: true, withFileTypes: true })).filter((entry) =>
        entry.isFile(),
      )
      expect(names.some((entry) => entry.name === 'catalogue.db-wal' || entry.name === 'catalogue.db')).toBe(true)
      for (const entry of names) {
        const content = await readFile(join(entry.parentPath, entry.name))
        expect(content.includes(MARKER), entry.name).toBe(false)
        expect(content.includes('1.2.3.4'), entry.name).toBe(false)
        expect(content.includes(pixels(1).subarray(1000, 1032)), entry.name).toBe(false)
        expect(content.includes('SQLite format 3'), entry.name).toBe(false)
        expect(content.includes('CREATE TABLE'), entry.name).toBe(false)
      }
    }
    await check()
    await store.reopen()
    await check()
  })
})

describe('reading', () => {
  it('reads frames of a multi-frame object, bulk data by range, and says what is not there', async () => {
    store = await testStore()
    const bytes = makeInstance({ sop: sop(1), pixels: pixels(5, 40_000), frames: 4 })
    await store.importer.import(streams({ a: bytes }))
    for (let frame = 1; frame <= 4; frame += 1) {
      const read = await store.studies.frame(study, sop(1), frame)
      expect(Buffer.from(read.bytes).equals(pixels(5, 40_000).subarray((frame - 1) * 10_000, frame * 10_000))).toBe(
        true,
      )
    }
    expect(Buffer.from(await store.studies.bytes(study, sop(1), 100, 5_000)).equals(bytes.subarray(100, 5_100))).toBe(
      true,
    )
    await expect(store.studies.bytes(study, sop(1), bytes.length - 1, 2)).rejects.toMatchObject({ code: 'not-found' })
    for (const frame of [0, 5, 1.5])
      await expect(store.studies.frame(study, sop(1), frame)).rejects.toMatchObject({ code: 'not-found' })
    await expect(store.studies.frame(study, sop(9), 1)).rejects.toMatchObject({ code: 'not-found' })
    await expect(store.studies.metadata(studyInstanceUID('9'))).rejects.toMatchObject({ code: 'not-found' })
    await store.importer.import(streams({ b: makeInstance({ sop: sop(2) }) }))
    await expect(store.studies.frame(study, sop(2), 1)).rejects.toMatchObject({ code: 'dicom/no-pixels' })
  })

  it('is closed while the vault is locked and open again after', async () => {
    await filled(1)
    store.vault.lock()
    expect(() => store.studies.listStudies({ match: {}, limit: 1, offset: 0 })).toThrow(
      expect.objectContaining({ code: 'vault/locked' }),
    )
    await expect(store.studies.frame(study, sop(1), 1)).rejects.toMatchObject({ code: 'vault/locked' })
    expect(() => store.studies.capsuleAccess(study)).toThrow(expect.objectContaining({ code: 'vault/locked' }))
    await store.vault.unlock()
    expect(store.studies.listStudies({ match: {}, limit: 1, offset: 0 }).total).toBe(1)
    expect((await store.studies.frame(study, sop(1), 1)).bytes.length).toBe(200_000)
    // At once, while the threads of before the lock may still be ending.
    store.vault.lock()
    await store.vault.unlock()
    expect(await store.importer.import(streams({ b: instance(2) }))).toMatchObject({ imported: 1 })
    store.vault.lock()
    await expect(store.importer.import(streams({ c: instance(3) }))).rejects.toMatchObject({ code: 'vault/locked' })
    await store.vault.unlock()
  })

  it('hands one study to another process by file and key alone', async () => {
    await filled(2)
    const reader = openCapsule(store.studies.capsuleAccess(study))
    const found = reader.list().find((entry) => entry.sopInstanceUID === sop(2))
    expect(Buffer.from(reader.frame({ row: found?.row ?? 0 }, 1).bytes).equals(pixels(2))).toBe(true)
    reader.close()
  })
})

describe('damage', () => {
  it('an old page put back at its place is caught', async () => {
    await filled(2)
    const path = await capsuleFile()
    const { key, cipher } = store.studies.capsuleAccess(study)
    await store.studies.close()
    const options = { key, cipher, pageBytes: CAPSULE_PAGE_BYTES, cacheBytes: 2 ** 20, mode: 'write' as const }
    const change = (action: string) => {
      const database = openDatabase(path, options)
      database.exec(action)
      database.close()
    }
    // The "old" state: the same capsule and key, one part with other content; then everything as it was again.
    change(
      'CREATE TABLE kept AS SELECT id, bytes FROM part; UPDATE part SET bytes = zeroblob(length(bytes)) WHERE length(bytes) > 100000',
    )
    await copyFile(path, `${path}.old`)
    change('UPDATE part SET bytes = (SELECT kept.bytes FROM kept WHERE kept.id = part.id); DROP TABLE kept')
    await store.reopen()
    expect(await store.studies.verifyStudy(study)).toMatchObject({ instances: 2, damaged: [] })
    await store.studies.close()

    const old = await readFile(`${path}.old`)
    const now = await readFile(path)
    await rm(`${path}.old`)
    const pages = Math.min(old.length, now.length) / CAPSULE_PAGE_BYTES
    let replayed = 0
    for (let page = 1; page < pages; page += 1) {
      const span = [page * CAPSULE_PAGE_BYTES, (page + 1) * CAPSULE_PAGE_BYTES] as const
      if (old.subarray(...span).equals(now.subarray(...span))) continue
      const attacked = Buffer.from(now)
      old.copy(attacked, span[0], span[0], span[1])
      await writeFile(path, attacked)
      const database = openDatabase(path, { ...options, mode: 'read' })
      // SQLite and its cipher see nothing wrong with most of these pages.
      let content: Buffer[] | null = null
      try {
        content = database.prepare<[], Buffer>('SELECT bytes FROM part ORDER BY id').pluck().all()
      } catch {
        // This page did not fit the others.
      }
      database.close()
      if (content === null || content.every((bytes) => bytes.length <= 100_000 || bytes.some((byte) => byte !== 0))) {
        const joined = content === null ? null : Buffer.concat(content)
        const wanted = joined !== null && joined.includes(pixels(1)) && joined.includes(pixels(2))
        if (content === null || wanted) continue
      }
      replayed += 1
      await store.reopen()
      const verification = await store.studies.verifyStudy(study)
      expect(verification.damaged.length, `page ${page}`).toBeGreaterThan(0)
      const damagedSop = verification.damaged[0]!.sopInstanceUID
      await expect(store.studies.frame(study, damagedSop, 1)).rejects.toMatchObject({ code: 'store/corrupt' })
      await expect(collect(store.studies.file(study, damagedSop))).rejects.toMatchObject({ code: 'store/corrupt' })
      await store.studies.close()
      if (replayed === 2) break
    }
    expect(replayed).toBeGreaterThan(0)
  })

  it('a flipped bit is an error and not an image', async () => {
    await filled(1)
    const path = await capsuleFile()
    await store.studies.close()
    const handle = await open(path, 'r+')
    const { size } = await handle.stat()
    const byte = Buffer.alloc(1)
    for (let at = CAPSULE_PAGE_BYTES + 500; at < size; at += CAPSULE_PAGE_BYTES) {
      await handle.read(byte, 0, 1, at)
      byte[0]! ^= 4
      await handle.write(byte, 0, 1, at)
    }
    await handle.close()
    await store.reopen()
    await expect(store.studies.frame(study, sop(1), 1)).rejects.toMatchObject({ code: 'store/corrupt' })
    expect((await store.studies.verifyStudy(study)).damaged).toHaveLength(1)
  })
})

describe('opening', () => {
  it('refuses a second opener, another identity, a newer catalogue, a missing key and a missing catalogue', async () => {
    await filled(1)
    const { dataDir, vault } = store
    await expect(openStudies({ dataDir, vault })).rejects.toMatchObject({ code: 'store/in-use' })
    const { key } = (() => store.studies.capsuleAccess(study))()
    expect(key.length).toBe(32)
    await store.studies.close()

    const foreignDir = join(dataDir, 'foreign')
    const foreign = await openVault(foreignDir, { createIfMissing: true, passphrase: TEST_PASSPHRASE })
    await expect(openStudies({ dataDir, vault: foreign })).rejects.toMatchObject({ code: 'vault/wrong-key' })

    // The catalogue of one folder beside the key of another.
    const other = await openStudies({ dataDir: foreignDir, vault: foreign })
    await other.studies.close()
    await cp(join(dataDir, 'catalogue.db'), join(foreignDir, 'catalogue.db'))
    await expect(openStudies({ dataDir: foreignDir, vault: foreign })).rejects.toMatchObject({
      code: 'vault/wrong-key',
    })
    await rm(foreignDir, { recursive: true })

    await cp(join(dataDir, 'catalogue.db'), join(dataDir, 'kept.db'))
    await rm(join(dataDir, 'catalogue.db'))
    await expect(openStudies({ dataDir, vault })).rejects.toMatchObject({ code: 'store/corrupt' })
    await cp(join(dataDir, 'kept.db'), join(dataDir, 'catalogue.db'))
    await cp(join(dataDir, 'catalogue.key'), join(dataDir, 'kept.key'))
    await rm(join(dataDir, 'catalogue.key'))
    await expect(openStudies({ dataDir, vault })).rejects.toMatchObject({ code: 'vault/key-missing' })
    await cp(join(dataDir, 'kept.key'), join(dataDir, 'catalogue.key'))
    await rm(join(dataDir, 'kept.db'))
    await store.reopen()
    expect(store.studies.listStudies({ match: {}, limit: 1, offset: 0 }).total).toBe(1)
  })

  it('leaves a catalogue of a newer version as it is', async () => {
    await filled(1)
    const { dataDir, vault } = store
    await store.studies.close()
    const seal = JSON.parse(await readFile(join(dataDir, 'catalogue.key'), 'utf8')) as { sealedKey: string }
    const key = vault.open(
      Uint8Array.from(Buffer.from(seal.sealedKey, 'base64')) as Parameters<typeof vault.open>[0],
      'catalogue-key',
    )
    const path = join(dataDir, 'catalogue.db')
    const options = {
      key,
      cipher: 'aegis-256' as const,
      pageBytes: 16_384,
      cacheBytes: 2 ** 20,
      mode: 'write' as const,
    }
    const database = openDatabase(path, options)
    database.pragma('user_version = 999')
    database.close()
    await expect(openStudies({ dataDir, vault })).rejects.toMatchObject({ code: 'store/newer-version' })
    const again = openDatabase(path, options)
    expect(again.pragma('user_version', { simple: true })).toBe(999)
    again.pragma('user_version = 1')
    again.close()
    await store.reopen()
  })

  it('leaves a capsule alone that its catalogue has never heard of', async () => {
    await filled(1)
    const stranger = join(store.dataDir, 'studies', `${'ab'.repeat(16)}.db`)
    await writeFile(stranger, 'perhaps of a newer catalogue')
    await store.reopen()
    expect((await stat(stranger)).size).toBeGreaterThan(0)
  })
})

describe('deleting', () => {
  it('destroys the key, then the file; an old copy of the file stays closed; the study can come again', async () => {
    const files = await filled(2)
    store.studies.saveInferenceRun({ id: 'r1', studyInstanceUID: study, findings: [] } as unknown as InferenceRun)
    const { key } = store.studies.capsuleAccess(study)
    const sealed = Buffer.from(key)
    await store.studies.frame(study, sop(1), 1)
    await store.studies.deleteStudy(study)
    expect(await readdir(join(store.dataDir, 'studies'))).toEqual([])
    expect(store.studies.study(study)).toBeNull()
    expect(store.studies.inferenceRuns(study)).toEqual([])
    expect((await stat(join(store.dataDir, 'catalogue.db-wal')).catch(() => ({ size: 0 }))).size).toBeLessThan(
      64 * 1024,
    )
    expect(() => store.studies.capsuleAccess(study)).toThrow(expect.objectContaining({ code: 'not-found' }))
    await expect(store.studies.deleteStudy(study)).rejects.toMatchObject({ code: 'not-found' })
    expect(await store.importer.import(streams(files))).toMatchObject({ imported: 2, duplicates: 0 })
    expect(Buffer.from(store.studies.capsuleAccess(study).key).equals(sealed)).toBe(false)
  })
})

describe('inference runs', () => {
  it('are kept with their study, newest first, and reviewed finding by finding', async () => {
    await filled(1)
    const run = (id: string) =>
      ({ id, studyInstanceUID: study, findings: [{ id: 'f1', review: 'pending' }] }) as unknown as InferenceRun
    store.studies.saveInferenceRun(run('a'))
    store.studies.saveInferenceRun(run('b'))
    expect(store.studies.setFindingReview('a', 'f1', 'accepted').findings[0]?.review).toBe('accepted')
    await store.reopen()
    expect(store.studies.inferenceRuns(study).map((kept) => [kept.id, kept.findings[0]?.review])).toEqual([
      ['b', 'pending'],
      ['a', 'accepted'],
    ])
    expect(() => store.studies.setFindingReview('a', 'f2', 'accepted')).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    )
    expect(() => store.studies.saveInferenceRun({ ...run('c'), studyInstanceUID: '9.9' })).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    )
  })
})
