import { Worker } from 'node:worker_threads'
import type { ImportResult } from '#common/contract/studies.ts'
import { AlcoveError, toAlcoveError } from '#common/errors.ts'
import { processEntry } from '../process-entry.ts'
import type { SealedKey } from '../vault/types.ts'
import type { JobSummary } from './import/import-job.ts'
import type { ImportOptions, ImportSource } from './types.ts'
import { fromWire, toWire } from './worker-protocol.ts'
import type { StudyWorkerData, WriteReply, WriteRequest } from './worker-protocol.ts'

export interface WriterClientOptions {
  workerData: () => Extract<StudyWorkerData, { role: 'writer' }>
  openKey: (sealedKey: SealedKey, capsule: string) => Uint8Array
  onChange: (studyInstanceUIDs: string[]) => void
}

/** Bytes of a stream on their way to the writer before the sender waits. */
const WINDOW_BYTES = 4 * 1024 * 1024

interface Job {
  options: ImportOptions
  settled: PromiseWithResolvers<JobSummary>
  over: boolean
}

/** The main thread's side of the writing worker. */
export class WriterClient {
  readonly #options: WriterClientOptions
  #worker: Worker | null = null
  readonly #jobs = new Map<number, Job>()
  readonly #windows = new Map<number, { open: number; wake: () => void }>()
  readonly #releases = new Map<number, () => void>()
  #closing: (() => void) | null = null
  #closed: Promise<void> = Promise.resolve()
  #next = 1

  constructor(options: WriterClientOptions) {
    this.#options = options
  }

  get busy(): boolean {
    return this.#jobs.size > 0
  }

  /** Starts the thread, so that the first import does not wait for it. @throws AlcoveError vault/locked */
  warm(): void {
    this.#start()
  }

  async import(
    sources: Iterable<ImportSource> | AsyncIterable<ImportSource>,
    options: ImportOptions = {},
  ): Promise<ImportResult> {
    const started = performance.now()
    if (options.signal?.aborted === true) throw cancelled()
    const id = this.#next++
    const job: Job = { options, settled: Promise.withResolvers(), over: false }
    // Told to whoever awaits below; a source that fails first must not leave it unheard.
    job.settled.promise.catch(() => undefined)
    await this.#closed
    const worker = this.#start()
    this.#jobs.set(id, job)
    worker.ref()
    const outcomes = options.onOutcome !== undefined
    this.#send({ type: 'import', job: id, onlyStudy: options.onlyStudy ?? null, outcomes })
    const abort = () => this.#send({ type: 'abort', job: id })
    options.signal?.addEventListener('abort', abort, { once: true })
    try {
      await Promise.race([this.#feed(id, job, sources), job.settled.promise])
      const summary = await job.settled.promise
      return { ...summary, seconds: (performance.now() - started) / 1000 }
    } finally {
      job.over = true
      options.signal?.removeEventListener('abort', abort)
      this.#jobs.delete(id)
      if (this.#jobs.size === 0) this.#worker?.unref()
    }
  }

  async #feed(id: number, job: Job, sources: Iterable<ImportSource> | AsyncIterable<ImportSource>): Promise<void> {
    const stopped = () => job.over || job.options.signal?.aborted === true
    try {
      for await (const source of sources) {
        if (stopped()) return
        if (source.kind === 'path') this.#send({ type: 'path', job: id, path: source.path })
        else await this.#feedStream(id, source, stopped)
      }
      this.#send({ type: 'sources-end', job: id, error: null })
    } catch (error) {
      this.#send({ type: 'sources-end', job: id, error: toWire(toAlcoveError(error)) })
    }
  }

  async #feedStream(
    job: number,
    source: Extract<ImportSource, { kind: 'stream' }>,
    stopped: () => boolean,
  ): Promise<void> {
    const stream = this.#next++
    const window = { open: WINDOW_BYTES, wake: () => undefined as void }
    this.#windows.set(stream, window)
    this.#send({ type: 'stream', job, stream, name: source.name })
    try {
      for await (const chunk of source.chunks) {
        if (stopped()) return
        // A copy of its own: the chunk may be part of a larger buffer that somebody else still reads.
        const bytes = new Uint8Array(chunk)
        window.open -= bytes.length
        this.#send({ type: 'chunk', stream, bytes }, [bytes.buffer])
        while (window.open <= 0 && !stopped()) await new Promise<void>((resolve) => (window.wake = resolve))
      }
      this.#send({ type: 'stream-end', stream, error: null })
    } catch (error) {
      const reason = new AlcoveError('file/unreadable', 'The upload broke off.', { cause: error })
      this.#send({ type: 'stream-end', stream, error: toWire(reason) })
    } finally {
      this.#windows.delete(stream)
    }
  }

  /** Makes the writer commit and let go of a study's file. */
  async release(studyInstanceUID: string): Promise<void> {
    if (this.#worker === null) return
    const request = this.#next++
    await new Promise<void>((resolve) => {
      this.#releases.set(request, resolve)
      this.#send({ type: 'release', request, studyInstanceUID })
    })
  }

  /** Ends the worker after it has committed what it holds; the next import starts a new one. */
  close(): Promise<void> {
    const worker = this.#worker
    if (worker !== null && this.#closing === null) {
      // An import that comes meanwhile, after an unlock, waits for the end of this thread and gets a new one.
      const ended = Promise.withResolvers<void>()
      this.#closing = ended.resolve
      this.#closed = ended.promise
      void this.#shutDown(worker)
    }
    return this.#closed
  }

  async #shutDown(worker: Worker): Promise<void> {
    worker.ref()
    for (const id of this.#jobs.keys()) this.#send({ type: 'abort', job: id })
    await Promise.allSettled([...this.#jobs.values()].map((job) => job.settled.promise))
    this.#send({ type: 'close' })
  }

  #send(request: WriteRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker?.postMessage(request, [...transfer])
  }

  #start(): Worker {
    if (this.#worker !== null) return this.#worker
    const workerData = this.#options.workerData()
    const worker = new Worker(processEntry('study-worker'), { workerData, name: 'study-writer' })
    workerData.catalogueKey.fill(0)
    worker.unref()
    worker.on('message', (reply: WriteReply) => this.#receive(reply))
    worker.on('error', (error) => this.#lose(worker, error))
    worker.on('exit', () => this.#lose(worker, null))
    this.#worker = worker
    return worker
  }

  #receive(reply: WriteReply): void {
    switch (reply.type) {
      case 'need-key':
        this.#answerKey(reply)
        break
      case 'taken': {
        const window = this.#windows.get(reply.stream)
        if (window === undefined) break
        window.open += reply.bytes
        window.wake()
        break
      }
      case 'progress':
        this.#jobs.get(reply.job)?.options.onProgress?.(reply.progress)
        break
      case 'outcomes':
        for (const outcome of reply.outcomes) this.#jobs.get(reply.job)?.options.onOutcome?.(outcome)
        break
      case 'done':
        this.#end(reply.job, (job) => job.settled.resolve(reply.summary))
        break
      case 'failed':
        this.#end(reply.job, (job) => job.settled.reject(fromWire(reply.error)))
        break
      case 'changed':
        this.#options.onChange(reply.studyInstanceUIDs)
        break
      case 'released':
        this.#releases.get(reply.request)?.()
        this.#releases.delete(reply.request)
        break
      case 'closed':
        break
    }
  }

  #end(id: number, settle: (job: Job) => void): void {
    const job = this.#jobs.get(id)
    if (job === undefined) return
    job.over = true
    settle(job)
    for (const window of this.#windows.values()) window.wake()
  }

  #answerKey({ request, capsule, sealedKey }: Extract<WriteReply, { type: 'need-key' }>): void {
    try {
      const key = this.#options.openKey(sealedKey, capsule)
      this.#send({ type: 'key', request, key, error: null })
      key.fill(0)
    } catch (error) {
      this.#send({ type: 'key', request, key: null, error: toWire(error) })
    }
  }

  #lose(worker: Worker, cause: unknown): void {
    if (this.#worker === worker) this.#worker = null
    this.#closing?.()
    this.#closing = null
    for (const resolve of this.#releases.values()) resolve()
    this.#releases.clear()
    const error =
      cause instanceof AlcoveError
        ? cause
        : new AlcoveError('internal', 'The import thread ended unexpectedly. What was imported before is safe.', {
            cause,
          })
    for (const id of this.#jobs.keys()) this.#end(id, (job) => job.settled.reject(error))
  }
}

function cancelled(): AlcoveError {
  return new AlcoveError('task/cancelled', 'The import was cancelled.')
}
