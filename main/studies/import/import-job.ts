import { createHash } from 'node:crypto'
import type { ImportRejection } from '#common/contract/studies.ts'
import { AlcoveError, isAlcoveError } from '#common/errors.ts'
import { readInstance, readInstanceBytes } from '../../dicom/read/index.ts'
import type { InstanceHead } from '../../dicom/types.ts'
import type { CapsuleWriter } from '../capsule-writer.ts'
import { storeError } from '../database.ts'
import type { StoreWriter } from '../store-writer.ts'
import type { ImportOutcome } from '../types.ts'
import { displayName } from './found-file.ts'
import type { ArchiveSource, Content, FoundFile } from './found-file.ts'
import type { Walked } from './walk.ts'
import { entriesOf } from './zip.ts'

/** Files read at the same time, and the bytes they may take together: what bounds the memory of an import. */
const CONCURRENT_FILES = 4
const CONCURRENT_BYTES = 64 * 1024 * 1024

export interface JobSummary {
  studies: { studyInstanceUID: string; instances: number; bytes: number }[]
  imported: number
  duplicates: number
  rejected: ImportRejection[]
}

export interface JobOptions {
  signal: AbortSignal
  onlyStudy: string | null
  onOutcome(outcome: ImportOutcome): void
}

/** Where an object goes; held until `release`. */
interface Place {
  capsule: CapsuleWriter
  release: () => void
}

/** One import in the writing worker. Several run side by side over the same StoreWriter. */
export class ImportJob {
  readonly #writer: StoreWriter
  readonly #options: JobOptions
  readonly #studies = new Map<string, { instances: number; bytes: number }>()
  readonly #rejected: ImportRejection[] = []
  readonly #archives: ArchiveSource[] = []
  readonly #running = new Set<Promise<void>>()
  readonly #unacknowledged = new Set<Promise<void>>()
  #weight = 0
  #imported = 0
  #duplicates = 0
  #fatal: AlcoveError | null = null
  found = 0
  done = 0
  bytes = 0
  searched = false

  constructor(writer: StoreWriter, options: JobOptions) {
    this.#writer = writer
    this.#options = options
  }

  /** @throws AlcoveError task/cancelled, store/full and other failures that concern every file */
  async run(files: AsyncIterable<Walked>): Promise<JobSummary> {
    await this.#take(files)
    for (;;) {
      await Promise.all(this.#running)
      const archive = this.#archives.shift()
      if (archive === undefined) break
      await this.#take(entriesOf(archive))
    }
    this.searched = true
    this.#writer.commit()
    await Promise.all(this.#unacknowledged)
    if (this.#fatal !== null) throw this.#fatal
    if (this.#options.signal.aborted)
      throw new AlcoveError('task/cancelled', 'The import was cancelled. What was imported before stays.')
    return {
      studies: [...this.#studies].map(([studyInstanceUID, counts]) => ({ studyInstanceUID, ...counts })),
      imported: this.#imported,
      duplicates: this.#duplicates,
      rejected: this.#rejected,
    }
  }

  get #stopped(): boolean {
    return this.#fatal !== null || this.#options.signal.aborted
  }

  async #take(files: AsyncIterable<Walked>): Promise<void> {
    for await (const file of files) {
      if (this.#stopped) {
        if ('read' in file) await file.close?.()
        return
      }
      this.found += 1
      if (!('read' in file)) {
        this.#reject(file.name, null, file.error)
        continue
      }
      while (
        this.#running.size >= CONCURRENT_FILES ||
        (this.#running.size > 0 && this.#weight + file.weight > CONCURRENT_BYTES)
      )
        await Promise.race(this.#running)
      this.#start(file)
      // A ZIP met on the way is opened next: its handle and its memory do not pile up.
      for (let archive = this.#archives.shift(); archive !== undefined; archive = this.#archives.shift())
        await this.#take(entriesOf(archive))
    }
  }

  #start(file: FoundFile): void {
    this.#weight += file.weight
    const work = this.#process(file).finally(() => {
      this.#weight -= file.weight
      this.#running.delete(work)
    })
    this.#running.add(work)
  }

  async #process(file: FoundFile): Promise<void> {
    const seen: { head: InstanceHead | null } = { head: null }
    try {
      if (this.#stopped) return
      const content = await file.read()
      if (content.kind === 'archive') {
        this.found -= 1
        this.#archives.push(content.archive)
      } else if (content.kind === 'bytes') await this.#importBytes(file.name, content.bytes, seen)
      else await this.#importChunks(file.name, content, seen)
    } catch (error) {
      this.#fail(file.name, seen.head, error)
    } finally {
      await file.close?.()
    }
  }

  async #importBytes(name: string, bytes: Buffer, seen: { head: InstanceHead | null }): Promise<void> {
    const { head, parts } = readInstanceBytes(bytes)
    seen.head = head
    this.#admit(head)
    const digest = createHash('sha256').update(bytes).digest()
    const place = await this.#placeFor(head, digest)
    if (place === null) {
      this.#settleDuplicate(name, head, bytes.length)
      return
    }
    try {
      this.#await(name, head, bytes.length, this.#writer.addWhole(place.capsule, head, parts, digest))
    } finally {
      place.release()
    }
  }

  async #importChunks(
    name: string,
    content: Extract<Content, { kind: 'chunks' }>,
    seen: { head: InstanceHead | null },
  ): Promise<void> {
    const digest = createHash('sha256')
    const { head, parts } = await readInstance(content.chunks, { signal: this.#options.signal })
    seen.head = head
    let place: Place | null = null
    let size = 0
    try {
      this.#admit(head)
      place = await this.#placeFor(head, null)
      if (place === null) {
        for await (const part of parts) {
          digest.update(part.bytes)
          size += part.bytes.length
        }
        await this.#placeFor(head, digest.digest())
        this.#settleDuplicate(name, head, size)
        return
      }
    } catch (error) {
      await closeParts(parts)
      throw error
    }
    const { capsule, release } = place
    const draft = capsule.draft()
    try {
      for await (const part of parts) {
        if (this.#stopped) throw cancelled()
        digest.update(part.bytes)
        this.#writer.append(capsule, draft, part)
      }
      this.#await(name, head, draft.bytes, this.#writer.finish(capsule, draft, head, digest.digest()))
    } catch (error) {
      this.#writer.discard(capsule, draft)
      throw error
    } finally {
      release()
    }
  }

  /** @throws AlcoveError store/conflict for an object of another study than the one asked for */
  #admit(head: InstanceHead): void {
    const { onlyStudy } = this.#options
    if (onlyStudy !== null && head.studyInstanceUID !== onlyStudy)
      throw new AlcoveError('store/conflict', 'The object belongs to another study than the one it was sent to.')
  }

  /**
   * The capsule to write into, with the UID reserved in the same step as it is found free; null for a duplicate (with no
   * digest: for anything there already, whose content is yet to be compared).
   * @throws AlcoveError store/conflict
   */
  async #placeFor(head: InstanceHead, digest: Buffer | null): Promise<Place | null> {
    for (;;) {
      let presence = this.#writer.presence(head.sopInstanceUID)
      if (presence.state === 'absent') {
        const capsule = await this.#writer.capsuleFor(head.studyInstanceUID)
        presence = this.#writer.presence(head.sopInstanceUID)
        if (presence.state === 'absent' && !capsule.closed)
          return { capsule, release: this.#writer.reserve(head.sopInstanceUID, capsule) }
      }
      if (presence.state === 'arriving') await presence.settled
      if (presence.state !== 'present') continue
      if (digest === null) return null
      if (digest.equals(presence.sha256) && presence.studyInstanceUID === head.studyInstanceUID) return null
      throw new AlcoveError(
        'store/conflict',
        'An object with this SOP Instance UID but other content is already there. It was kept, this one was not taken.',
      )
    }
  }

  #await(name: string, head: InstanceHead, size: number, acknowledged: Promise<void>): void {
    const settled = acknowledged
      .then(
        () => {
          this.#imported += 1
          const counts = this.#countsOf(head)
          counts.instances += 1
          counts.bytes += size
          this.#settle({ state: 'imported', name, head, rejection: null }, size)
        },
        (error: unknown) => this.#fail(name, head, error),
      )
      .finally(() => this.#unacknowledged.delete(settled))
    this.#unacknowledged.add(settled)
  }

  #settleDuplicate(name: string, head: InstanceHead, size: number): void {
    this.#duplicates += 1
    this.#countsOf(head)
    this.#settle({ state: 'duplicate', name, head, rejection: null }, size)
  }

  #countsOf(head: InstanceHead): { instances: number; bytes: number } {
    const known = this.#studies.get(head.studyInstanceUID)
    if (known !== undefined) return known
    const counts = { instances: 0, bytes: 0 }
    this.#studies.set(head.studyInstanceUID, counts)
    return counts
  }

  #fail(name: string, head: InstanceHead | null, cause: unknown): void {
    const mapped = storeError(cause)
    const error = isAlcoveError(mapped)
      ? mapped
      : new AlcoveError('internal', 'Alcove could not read this file because of a fault of its own.', { cause })
    if (error.code === 'task/cancelled') return
    // A full disk or a lost store is not this file's fault: the others would fare no better.
    if (error.code === 'store/full' || error.code === 'store/corrupt' || error.code === 'store/in-use')
      this.#fatal ??= error
    this.#reject(name, head, error)
  }

  #reject(name: string, head: InstanceHead | null, error: AlcoveError): void {
    const rejection = { path: displayName(name), code: error.code, message: error.message }
    this.#rejected.push(rejection)
    this.#settle({ state: 'rejected', name, head, rejection }, 0)
  }

  #settle(outcome: Omit<ImportOutcome, 'head'> & { head: InstanceHead | null }, size: number): void {
    this.done += 1
    this.bytes += size
    const { head } = outcome
    this.#options.onOutcome({
      ...outcome,
      head:
        head === null
          ? null
          : {
              studyInstanceUID: head.studyInstanceUID,
              seriesInstanceUID: head.seriesInstanceUID,
              sopInstanceUID: head.sopInstanceUID,
              sopClassUID: head.sopClassUID,
            },
    })
  }
}

function cancelled(): AlcoveError {
  return new AlcoveError('task/cancelled', 'The import was cancelled.')
}

async function closeParts(parts: AsyncIterable<unknown>): Promise<void> {
  await parts[Symbol.asyncIterator]().return?.()
}
