import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { AlcoveError } from '#common/errors.ts'
import { processEntry } from '../process-entry.ts'
import type { Cipher } from './database.ts'
import { fromWire } from './worker-protocol.ts'
import type { ReadOperation, ReadReply, ReadRequest, ReadResult, StudyWorkerData } from './worker-protocol.ts'

/** A capsule a reader can be told to open; `key` is asked for only when it has to be, since opening a seal takes time. */
export interface CapsuleRef {
  id: string
  path: string
  cipher: Cipher
  key: () => Uint8Array
}

interface Waiting {
  capsule: CapsuleRef
  operation: ReadOperation
  resolve: (result: ReadResult) => void
  reject: (error: Error) => void
}

interface Reader {
  worker: Worker
  waiting: Map<number, Waiting>
  /** Capsule id → the last request its key went out with. */
  keyed: Map<string, number>
}

/** More readers than this compete for the disk, not for the processor. */
const MOST_READERS = 4

/** Worker threads that read capsules. Started when needed; they do not keep the process alive while they have nothing to do. */
export class ReaderPool {
  readonly #readers: Reader[] = []
  readonly #most = Math.max(1, Math.min(MOST_READERS, availableParallelism()))
  #next = 1
  #closed = false

  /** Starts the first reader, so that the first image does not wait for it. */
  warm(): void {
    if (this.#readers.length === 0) this.#start()
  }

  /** @throws AlcoveError what the reader says; vault/locked from `capsule.key` */
  read(capsule: CapsuleRef, operation: ReadOperation): Promise<ReadResult> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(closedError())
      else this.#post(this.#choose(), { capsule, operation, resolve, reject }, null)
    })
  }

  #choose(): Reader {
    let chosen: Reader | undefined
    for (const reader of this.#readers)
      if (chosen === undefined || reader.waiting.size < chosen.waiting.size) chosen = reader
    if (chosen === undefined || (chosen.waiting.size > 0 && this.#readers.length < this.#most)) return this.#start()
    return chosen
  }

  #post(reader: Reader, waiting: Waiting, key: Uint8Array | null): void {
    const id = this.#next++
    const { id: capsule, path, cipher } = waiting.capsule
    reader.waiting.set(id, waiting)
    if (key !== null) reader.keyed.set(capsule, id)
    reader.worker.ref()
    const request: ReadRequest = { id, capsule: { id: capsule, path, cipher, key }, operation: waiting.operation }
    reader.worker.postMessage(request)
    key?.fill(0)
  }

  #start(): Reader {
    const data: StudyWorkerData = { role: 'reader' }
    const worker = new Worker(processEntry('study-worker'), { workerData: data, name: 'study-reader' })
    const reader: Reader = { worker, waiting: new Map(), keyed: new Map() }
    worker.unref()
    worker.on('message', (reply: ReadReply) => this.#settle(reader, reply))
    worker.on('error', (error) => this.#lose(reader, error))
    worker.on('exit', () => this.#lose(reader, null))
    this.#readers.push(reader)
    return reader
  }

  #settle(reader: Reader, reply: ReadReply): void {
    const waiting = reader.waiting.get(reply.id)
    reader.waiting.delete(reply.id)
    if (reader.waiting.size === 0) reader.worker.unref()
    if (waiting === undefined) return
    if ('result' in reply) waiting.resolve(reply.result)
    else if ('error' in reply) waiting.reject(fromWire(reply.error))
    else {
      try {
        // Of many requests sent before the reader had the key, only the first has to open the seal.
        const known = (reader.keyed.get(waiting.capsule.id) ?? 0) > reply.id
        this.#post(reader, waiting, known ? null : waiting.capsule.key())
      } catch (error) {
        waiting.reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }

  #lose(reader: Reader, cause: unknown): void {
    const index = this.#readers.indexOf(reader)
    if (index >= 0) this.#readers.splice(index, 1)
    const error = this.#closed
      ? closedError()
      : new AlcoveError('internal', 'A reading thread ended unexpectedly. Try again.', { cause })
    for (const waiting of reader.waiting.values()) waiting.reject(error)
    reader.waiting.clear()
  }

  /** Makes every reader let go of a capsule's file. */
  async release(capsule: CapsuleRef): Promise<void> {
    await Promise.all(
      this.#readers.map(
        (reader) =>
          new Promise<ReadResult>((resolve, reject) =>
            this.#post(reader, { capsule, operation: { kind: 'close' }, resolve, reject }, null),
          ),
      ),
    )
  }

  /** Ends the readers and with them every key they hold; the next read starts new ones. */
  async reset(): Promise<void> {
    await Promise.all(this.#readers.splice(0).map((reader) => reader.worker.terminate()))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.reset()
  }
}

function closedError(): AlcoveError {
  return new AlcoveError('store/in-use', 'The data folder has been closed.')
}
