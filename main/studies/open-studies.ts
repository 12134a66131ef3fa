import { createHash } from 'node:crypto'
import type { InferenceRun } from '#common/contract/inference.ts'
import type { StudyDetail, StudySummary } from '#common/contract/studies.ts'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { AlcoveError } from '#common/errors.ts'
import type { SeriesInstanceUID, SOPInstanceUID, StudyInstanceUID } from '#common/ids.ts'
import type { SealedKey, Vault } from '../vault/types.ts'
import { capsuleKeyContext } from './capsule-format.ts'
import type { InstanceKey } from './capsule-reader.ts'
import * as catalogue from './catalogue.ts'
import type { InstancePlace } from './catalogue.ts'
import {
  capsulePath,
  cataloguePath,
  catalogueSeal,
  holdFolder,
  openCatalogueKey,
  recover,
  removeCapsuleFiles,
} from './data-folder.ts'
import type { CatalogueSeal } from './data-folder.ts'
import { withStoreErrors } from './database.ts'
import type { Cipher, Connection } from './database.ts'
import { ReaderPool } from './reader-pool.ts'
import type { CapsuleRef } from './reader-pool.ts'
import { searchAttributes } from './search.ts'
import type {
  AttributeQuery,
  AttributeRows,
  CapsuleAccess,
  Importer,
  InstanceRecord,
  ReadFrame,
  StudyQuery,
  StudyVerification,
  WritableStudies,
} from './types.ts'
import { WriterClient } from './writer-client.ts'

export interface OpenStudiesOptions {
  dataDir: string
  vault: Vault
  /** For studies received from now on; those there keep theirs. */
  cipher?: Cipher
  /** Called after studies were added to, or deleted. */
  onChange?: (studyInstanceUIDs: string[]) => void
}

export interface OpenedStudies {
  studies: WritableStudies
  importer: Importer
  /** Starts the threads that read and write, so that the first image and the first import do not wait for them. */
  warm: () => void
}

/**
 * Opens the encrypted store of a data folder, makes it when the folder is empty, and cleans up after a kill.
 * Opened with a locked vault, everything throws vault/locked until the vault is unlocked.
 * @throws AlcoveError store/in-use, store/newer-version, store/corrupt, vault/wrong-key, vault/key-missing
 */
export async function openStudies(options: OpenStudiesOptions): Promise<OpenedStudies> {
  const letGo = await holdFolder(options.dataDir)
  try {
    const seal = await catalogueSeal(options.dataDir, options.vault, options.cipher ?? 'aegis-256')
    const studies = new FolderStudies(options, seal, letGo)
    return {
      studies,
      importer: { import: (sources, given) => studies.import(sources, given) },
      warm: () => studies.warm(),
    }
  } catch (error) {
    letGo()
    throw error
  }
}

class FolderStudies implements WritableStudies {
  readonly #dataDir: string
  readonly #vault: Vault
  readonly #seal: CatalogueSeal
  readonly #letGo: () => void
  readonly #unsubscribe: () => void
  readonly #onChange: (studyInstanceUIDs: string[]) => void
  readonly #readers = new ReaderPool()
  readonly #writer: WriterClient
  #connection: Connection | null = null

  constructor(options: OpenStudiesOptions, seal: CatalogueSeal, letGo: () => void) {
    this.#dataDir = options.dataDir
    this.#vault = options.vault
    this.#seal = seal
    this.#letGo = letGo
    this.#onChange = options.onChange ?? (() => undefined)
    this.#writer = new WriterClient({
      workerData: () => ({
        role: 'writer',
        dataDir: options.dataDir,
        catalogueKey: openCatalogueKey(options.vault, seal),
        catalogueCipher: seal.cipher,
        cipher: options.cipher ?? 'aegis-256',
        publicKey: options.vault.publicKey,
      }),
      openKey: (sealedKey, capsule) => this.#openKey(sealedKey, capsule),
      onChange: this.#onChange,
    })
    if (options.vault.status().state === 'unlocked') this.#open()
    this.#unsubscribe = options.vault.onStateChange((state) => (state === 'unlocked' ? this.#open() : this.#shut()))
  }

  #open(): void {
    if (this.#connection !== null) return
    const key = openCatalogueKey(this.#vault, this.#seal)
    const connection = catalogue.openCatalogue(cataloguePath(this.#dataDir), key, this.#seal.cipher)
    key.fill(0)
    try {
      if (!this.#writer.busy) recover(this.#dataDir, connection, this.#vault)
    } catch (error) {
      connection.close()
      throw error
    }
    this.#connection = connection
  }

  warm(): void {
    if (this.#connection === null) return
    this.#readers.warm()
    this.#writer.warm()
  }

  /** Locked: no key stays in memory but that of an import under way, which goes on to its end. */
  #shut(): void {
    this.#connection?.close()
    this.#connection = null
    void this.#readers.reset()
    if (!this.#writer.busy) void this.#writer.close()
  }

  #db(): Connection {
    if (this.#connection === null) throw new AlcoveError('vault/locked', 'The studies are locked. Unlock Alcove first.')
    return this.#connection
  }

  listStudies(query: StudyQuery): { studies: StudySummary[]; total: number } {
    return catalogue.listStudies(this.#db(), query)
  }

  searchStudies(query: AttributeQuery): AttributeRows {
    return searchAttributes(this.#db(), 'study', query)
  }

  searchSeries(query: AttributeQuery): AttributeRows {
    return searchAttributes(this.#db(), 'series', query)
  }

  searchInstances(query: AttributeQuery): AttributeRows {
    return searchAttributes(this.#db(), 'instance', query)
  }

  study(uid: StudyInstanceUID): StudyDetail | null {
    return catalogue.studyDetail(this.#db(), uid)
  }

  instances(study: StudyInstanceUID, series?: SeriesInstanceUID): InstanceRecord[] {
    return catalogue.instanceRecords(this.#db(), study, series === undefined ? {} : { seriesInstanceUID: series })
  }

  instance(study: StudyInstanceUID, sop: SOPInstanceUID): InstanceRecord | null {
    return catalogue.instanceRecords(this.#db(), study, { sopInstanceUID: sop })[0] ?? null
  }

  async metadata(
    study: StudyInstanceUID,
    filter: { seriesInstanceUID?: SeriesInstanceUID; sopInstanceUID?: SOPInstanceUID } = {},
  ): Promise<DicomJsonDataset[]> {
    const places = catalogue.instancePlaces(this.#db(), study, filter)
    if (places.length === 0) throw noInstance()
    const result = await this.#readers.read(this.#capsule(study), { kind: 'metadata', instances: places.map(keyOf) })
    if (result.kind !== 'bytes') throw unexpected()
    return JSON.parse(Buffer.from(result.bytes.buffer).toString('utf8')) as DicomJsonDataset[]
  }

  async frame(study: StudyInstanceUID, sop: SOPInstanceUID, frame: number): Promise<ReadFrame> {
    const instance = keyOf(this.#place(study, sop))
    const result = await this.#readers.read(this.#capsule(study), { kind: 'frame', instance, frame })
    if (result.kind !== 'frame') throw unexpected()
    return { bytes: result.bytes, transferSyntaxUID: result.transferSyntaxUID }
  }

  async *file(study: StudyInstanceUID, sop: SOPInstanceUID): AsyncGenerator<Uint8Array> {
    const place = this.#place(study, sop)
    const capsule = this.#capsule(study)
    const digest = createHash('sha256')
    let from: number | null = 0
    while (from !== null) {
      const result = await this.#readers.read(capsule, { kind: 'file', instance: keyOf(place), from })
      if (result.kind !== 'file') throw unexpected()
      digest.update(result.bytes)
      from = result.next
      // Each part was checked on its own; the whole is checked before its end is given out.
      if (from === null && !digest.digest().equals(place.sha256)) throw damaged()
      if (result.bytes.length > 0) yield result.bytes
    }
  }

  async bytes(study: StudyInstanceUID, sop: SOPInstanceUID, offset: number, length: number): Promise<Uint8Array> {
    const instance = keyOf(this.#place(study, sop))
    const result = await this.#readers.read(this.#capsule(study), { kind: 'bulk', instance, offset, length })
    if (result.kind !== 'bytes') throw unexpected()
    return result.bytes
  }

  async verifyStudy(study: StudyInstanceUID, options: { signal?: AbortSignal } = {}): Promise<StudyVerification> {
    const places = catalogue.instancePlaces(this.#db(), study)
    if (places.length === 0) throw noInstance()
    const capsule = this.#capsule(study)
    const verification: StudyVerification = { instances: places.length, bytes: 0, damaged: [] }
    for (const place of places) {
      if (options.signal?.aborted === true) throw new AlcoveError('task/cancelled', 'The check was cancelled.')
      try {
        const result = await this.#readers.read(capsule, { kind: 'verify', instance: keyOf(place) })
        if (result.kind !== 'verified') throw unexpected()
        if (!Buffer.from(place.sha256).equals(result.sha256)) throw damaged()
        verification.bytes += result.bytes
      } catch (error) {
        if (!(error instanceof AlcoveError) || error.code !== 'store/corrupt') throw error
        verification.damaged.push({ sopInstanceUID: place.sopInstanceUID, message: error.message })
      }
    }
    return verification
  }

  inferenceRuns(study: StudyInstanceUID): InferenceRun[] {
    return catalogue.inferenceRuns(this.#db(), study)
  }

  capsuleAccess(study: StudyInstanceUID): CapsuleAccess {
    const { path, cipher, key } = this.#capsule(study)
    return { path, cipher, key: key() }
  }

  capsuleInstances(
    study: StudyInstanceUID,
    series: SeriesInstanceUID,
  ): { sopInstanceUID: string; row: number; root: Uint8Array }[] {
    return catalogue
      .instancePlaces(this.#db(), study, { seriesInstanceUID: series })
      .map(({ sopInstanceUID, row, root }) => ({ sopInstanceUID, row, root }))
  }

  saveInferenceRun(run: InferenceRun): void {
    catalogue.saveInferenceRun(this.#db(), run)
  }

  setFindingReview(runId: string, findingId: string, review: 'pending' | 'accepted' | 'rejected'): InferenceRun {
    return catalogue.setFindingReview(this.#db(), runId, findingId, review)
  }

  import(...[sources, options]: Parameters<Importer['import']>): ReturnType<Importer['import']> {
    return this.#writer.import(sources, options)
  }

  async deleteStudy(study: StudyInstanceUID): Promise<void> {
    const capsule = this.#capsule(study)
    await this.#writer.release(study)
    const db = this.#db()
    withStoreErrors(() => {
      db.exec('BEGIN IMMEDIATE')
      try {
        db.prepare('INSERT INTO shredded (capsule) VALUES (?) ON CONFLICT DO NOTHING').run(capsule.id)
        db.prepare('DELETE FROM study WHERE uid = ?').run(study)
        db.prepare('DELETE FROM capsule WHERE id = ?').run(capsule.id)
        db.exec('COMMIT')
      } catch (error) {
        if (db.inTransaction) db.exec('ROLLBACK')
        throw error
      }
      // The sealed key is overwritten in the database (secure_delete); its old page must not live on in the log.
      db.pragma('wal_checkpoint(TRUNCATE)')
    })
    await this.#readers.release(capsule)
    removeCapsuleFiles(this.#dataDir, capsule.id)
    withStoreErrors(() => db.prepare('DELETE FROM shredded WHERE capsule = ?').run(capsule.id))
    this.#onChange([study])
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    await this.#writer.close()
    await this.#readers.close()
    this.#connection?.close()
    this.#connection = null
    this.#letGo()
  }

  #capsule(study: StudyInstanceUID): CapsuleRef {
    const row = catalogue.capsuleOf(this.#db(), study)
    if (row === null) throw new AlcoveError('not-found', 'There is no such study.')
    const { id, cipher, sealedKey } = row
    return { id, cipher, path: capsulePath(this.#dataDir, id), key: () => this.#openKey(sealedKey, id) }
  }

  #openKey(sealedKey: SealedKey, capsule: string): Uint8Array {
    return this.#vault.open(sealedKey, capsuleKeyContext(capsule))
  }

  #place(study: StudyInstanceUID, sop: SOPInstanceUID): InstancePlace {
    const place = catalogue.instancePlaces(this.#db(), study, { sopInstanceUID: sop })[0]
    if (place === undefined) throw noInstance()
    return place
  }
}

function keyOf(place: InstancePlace): InstanceKey {
  return { row: place.row, root: place.root }
}

function noInstance(): AlcoveError {
  return new AlcoveError('not-found', 'There is no such object in the store.')
}

function damaged(): AlcoveError {
  return new AlcoveError(
    'store/corrupt',
    'A stored object is not what was received: its file was damaged or put back to an older state. Restore it from a backup.',
  )
}

function unexpected(): AlcoveError {
  return new AlcoveError('internal', 'A reading thread answered something else than it was asked.')
}
