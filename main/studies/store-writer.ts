import { closeSync, fsyncSync, openSync } from 'node:fs'
import { type AlcoveError, toAlcoveError } from '#common/errors.ts'
import type { InstanceHead, InstancePart } from '../dicom/types.ts'
import { Acknowledger } from './acknowledge.ts'
import type { StoredInstance } from './acknowledge.ts'
import { CapsuleWriter } from './capsule-writer.ts'
import type { Draft } from './capsule-writer.ts'
import { capsuleOf } from './catalogue.ts'
import type { CapsuleRow } from './catalogue.ts'
import { knownRows, studiesFolder } from './data-folder.ts'
import { storeError, withStoreErrors } from './database.ts'
import type { Cipher, Connection } from './database.ts'

/** A batch is committed when it holds this much, */
const BATCH_BYTES = 32 * 1024 * 1024
/** or this long after its first instance. */
const BATCH_MS = 200
const OPEN_CAPSULES = 16
/** A capsule not written to for this long is closed, which leaves one clean file. */
const IDLE_MS = 1_000

export interface StoreWriterOptions {
  dataDir: string
  catalogue: Connection
  cipher: Cipher
  publicKey: Uint8Array
  /** Asks the vault. */
  openKey(capsule: CapsuleRow): Promise<Uint8Array>
  onAcknowledged(studyInstanceUIDs: string[]): void
}

/** What there is already under a SOP Instance UID. */
export type Presence =
  | { state: 'absent' }
  | { state: 'present'; sha256: Uint8Array; studyInstanceUID: string }
  | { state: 'arriving'; settled: Promise<void> }

interface Batch {
  instances: Map<CapsuleWriter, StoredInstance[]>
  bytes: number
  done: Promise<void>
  resolve: () => void
  reject: (error: AlcoveError) => void
  timer: NodeJS.Timeout | null
}

/**
 * Writes instances into capsules and acknowledges them in batches: first each capsule's transaction, then one of the
 * catalogue, which makes them visible. Killed in between, what is in the capsules only is removed at the next start.
 */
export class StoreWriter {
  readonly #options: StoreWriterOptions
  readonly #acknowledger: Acknowledger
  readonly #capsules = new Map<string, Promise<CapsuleWriter>>()
  readonly #open = new Map<CapsuleWriter, string>()
  readonly #pending = new Map<string, { sha256: Uint8Array; studyInstanceUID: string }>()
  readonly #arriving = new Map<string, Promise<void>>()
  readonly #findInstance
  #batch: Batch | null = null
  readonly #idle: NodeJS.Timeout

  constructor(options: StoreWriterOptions) {
    this.#options = options
    this.#acknowledger = new Acknowledger(options.catalogue)
    this.#findInstance = options.catalogue.prepare<[string], { sha256: Uint8Array; studyInstanceUID: string }>(
      `SELECT i.sha256, s.uid AS studyInstanceUID FROM instance i JOIN series e ON e.id = i.series
       JOIN study s ON s.id = e.study WHERE i.uid = ?`,
    )
    this.#idle = setInterval(() => this.#closeIdle(), IDLE_MS)
    this.#idle.unref()
  }

  presence(sopInstanceUID: string): Presence {
    const settled = this.#arriving.get(sopInstanceUID)
    if (settled !== undefined) return { state: 'arriving', settled }
    const found = this.#pending.get(sopInstanceUID) ?? withStoreErrors(() => this.#findInstance.get(sopInstanceUID))
    return found === undefined ? { state: 'absent' } : { state: 'present', ...found }
  }

  /** The study's capsule, opened or made. @throws vault/locked when it exists and the vault is locked */
  async capsuleFor(studyInstanceUID: string): Promise<CapsuleWriter> {
    const open = this.#capsules.get(studyInstanceUID)
    const writer = open === undefined ? null : await open
    if (writer !== null && !writer.closed) return writer
    if (this.#capsules.get(studyInstanceUID) !== open) return this.capsuleFor(studyInstanceUID)
    this.#makeRoom()
    const opening = this.#openCapsule(studyInstanceUID)
    this.#capsules.set(studyInstanceUID, opening)
    try {
      const opened = await opening
      this.#open.set(opened, studyInstanceUID)
      return opened
    } catch (error) {
      this.#capsules.delete(studyInstanceUID)
      throw error
    }
  }

  async #openCapsule(studyInstanceUID: string): Promise<CapsuleWriter> {
    const { dataDir, catalogue, publicKey, cipher } = this.#options
    const row = capsuleOf(catalogue, studyInstanceUID as Parameters<typeof capsuleOf>[1])
    if (row === null) return CapsuleWriter.create(dataDir, publicKey, cipher)
    const key = await this.#options.openKey(row)
    return CapsuleWriter.open(dataDir, row, key, knownRows(catalogue, row.id))
  }

  /**
   * A file that lies in memory, under a reserved UID: written in one go. Resolves when it is acknowledged.
   */
  addWhole(
    capsule: CapsuleWriter,
    head: InstanceHead,
    parts: readonly InstancePart[],
    sha256: Uint8Array,
  ): Promise<void> {
    try {
      this.#join(capsule)
      const draft = capsule.draft()
      for (const part of parts) capsule.append(draft, part)
      return this.finish(capsule, draft, head, sha256)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /**
   * Reserves a UID, and the capsule with it: whoever else has an object of this UID waits until the function returned
   * gives them up.
   */
  reserve(sopInstanceUID: string, capsule: CapsuleWriter): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#arriving.set(sopInstanceUID, promise)
    capsule.holds += 1
    return () => {
      capsule.holds -= 1
      this.#arriving.delete(sopInstanceUID)
      resolve()
    }
  }

  append(capsule: CapsuleWriter, draft: Draft, part: InstancePart): void {
    try {
      this.#join(capsule)
      capsule.append(draft, part)
      this.#grow(part.bytes.length)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  discard(capsule: CapsuleWriter, draft: Draft): void {
    try {
      this.#join(capsule)
      capsule.discard(draft)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  finish(capsule: CapsuleWriter, draft: Draft, head: InstanceHead, sha256: Uint8Array): Promise<void> {
    try {
      const batch = this.#join(capsule)
      const stored = capsule.finish(draft, head, sha256)
      this.#pending.set(head.sopInstanceUID, { sha256, studyInstanceUID: head.studyInstanceUID })
      batch.instances.get(capsule)?.push(stored)
      this.#grow(stored.bytes)
      return batch.done
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /** Before anything is written: should that fail, the capsule has to be given up with its batch. */
  #join(capsule: CapsuleWriter): Batch {
    const batch = (this.#batch ??= this.#newBatch())
    if (!batch.instances.has(capsule)) batch.instances.set(capsule, [])
    return batch
  }

  #grow(bytes: number): void {
    if (this.#batch === null) return
    this.#batch.bytes += bytes
    if (this.#batch.bytes >= BATCH_BYTES) this.commit()
  }

  #newBatch(): Batch {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // Whoever waits hears of a failure; when nobody does (only drafts in it), nothing was promised.
    promise.catch(() => undefined)
    const timer = setTimeout(() => this.commit(), BATCH_MS)
    return { instances: new Map(), bytes: 0, done: promise, resolve, reject, timer }
  }

  /** Acknowledges everything written so far. Failure is told to those who wait for the instances. */
  commit(): void {
    const batch = this.#batch
    if (batch === null) return
    try {
      const capsules = [...batch.instances.keys()]
      for (const capsule of capsules) capsule.commit()
      if (capsules.some((capsule) => !capsule.acknowledged)) syncFolderNow(studiesFolder(this.#options.dataDir))
      const complete = [...batch.instances].filter(([, instances]) => instances.length > 0)
      this.#acknowledger.acknowledge(complete.map(([capsule, instances]) => ({ capsule: capsule.row, instances })))
      this.#endBatch(batch)
      this.#options.onAcknowledged(complete.map(([capsule]) => this.#open.get(capsule) ?? ''))
      batch.resolve()
      for (const [capsule] of complete) this.#protect(capsule)
    } catch (error) {
      this.#fail(error)
    }
  }

  #protect(capsule: CapsuleWriter): void {
    try {
      capsule.markAcknowledged()
    } catch {
      // Not to be written to without a journal: the next instance opens it again.
      this.#close(capsule)
    }
  }

  #endBatch(batch: Batch): void {
    if (batch.timer !== null) clearTimeout(batch.timer)
    for (const instances of batch.instances.values())
      for (const { head } of instances) this.#pending.delete(head.sopInstanceUID)
    this.#batch = null
  }

  /** Gives up the whole batch, so that no capsule holds half of what its instances need. */
  #fail(error: unknown): AlcoveError {
    const reason = toAlcoveError(storeError(error))
    const batch = this.#batch
    if (batch === null) return reason
    for (const capsule of batch.instances.keys()) {
      this.#forget(capsule)
      try {
        capsule.abandon()
      } catch {
        // Its marker stays, and the next start cleans up.
      }
    }
    this.#endBatch(batch)
    batch.reject(reason)
    return reason
  }

  #forget(capsule: CapsuleWriter): void {
    const study = this.#open.get(capsule)
    this.#open.delete(capsule)
    if (study !== undefined) this.#capsules.delete(study)
  }

  #makeRoom(): void {
    if (this.#open.size < OPEN_CAPSULES) return
    const idle = [...this.#open.keys()].filter((capsule) => capsule.holds === 0)
    idle.sort((a, b) => a.lastUsed - b.lastUsed)
    const [oldest] = idle
    if (oldest === undefined) return
    if (this.#batch?.instances.has(oldest) === true) this.commit()
    this.#close(oldest)
  }

  #closeIdle(): void {
    const before = performance.now() - IDLE_MS
    for (const capsule of this.#open.keys())
      if (capsule.holds === 0 && capsule.lastUsed < before && this.#batch?.instances.has(capsule) !== true)
        this.#close(capsule)
  }

  #close(capsule: CapsuleWriter): void {
    this.#forget(capsule)
    try {
      capsule.close()
    } catch {
      // Everything in it is committed; the marker beside it makes the next start look after it.
    }
  }

  /** Lets go of one study's capsule, e.g. because it is to be deleted. */
  release(studyInstanceUID: string): void {
    this.commit()
    for (const [capsule, study] of this.#open) if (study === studyInstanceUID) this.#close(capsule)
  }

  close(): void {
    clearInterval(this.#idle)
    this.commit()
    for (const capsule of this.#open.keys()) this.#close(capsule)
  }
}

function syncFolderNow(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
