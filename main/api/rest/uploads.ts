import { randomUUID } from 'node:crypto'
import { limitedBody } from '#node/http/body.ts'
import type { Task } from '#common/contract/tasks.ts'
import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import type { ImportSource } from '../../studies/types.ts'
import type { Workstation } from '../../workstation.ts'

/** An upload nobody feeds for this long is finished. */
const IDLE_MS = 10 * 60_000
const MAX_SESSIONS = 16

interface Waiting {
  source: ImportSource
  taken: () => void
  refused: (error: AlcoveError) => void
}

/**
 * One import fed file by file. Only the file being read is in flight: the next request waits until the importer asks
 * for it, so memory stays at some chunks however much is dropped on the window.
 */
class Upload {
  readonly id = randomUUID()
  task: Task
  #queue: Waiting[] = []
  #wake: () => void = () => {}
  #ended = false
  #idle: NodeJS.Timeout | undefined

  constructor(workstation: Workstation, expected: number | null, onEnd: (id: string) => void) {
    const { task, result } = workstation.tasks.start('import', ({ signal, report }) => {
      signal.addEventListener('abort', () => this.#refuseAll(signal.reason))
      return workstation.importer.import(this.#sources(), {
        signal,
        onProgress: (progress) =>
          report({ done: progress.done, total: expected ?? progress.total, note: progress.note }),
      })
    })
    this.task = task
    const end = (): void => {
      this.#refuseAll(null)
      clearTimeout(this.#idle)
      onEnd(this.id)
    }
    result.then(end, end)
    this.#touch()
  }

  #touch(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.finish(), IDLE_MS)
    this.#idle.unref()
  }

  #refuseAll(reason: unknown): void {
    this.#ended = true
    const error =
      reason instanceof AlcoveError ? reason : new AlcoveError('store/conflict', 'This upload has ended already.')
    for (const waiting of this.#queue.splice(0)) waiting.refused(error)
    this.#wake()
  }

  async *#sources(): AsyncGenerator<ImportSource> {
    for (;;) {
      const next = this.#queue.shift()
      if (next !== undefined) yield next.source
      else if (this.#ended) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Resolves when the importer has read the file (or left it). */
  add(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#ended) throw new AlcoveError('store/conflict', 'This upload has ended already.')
    this.#touch()
    return new Promise((resolve, reject) => {
      const watched = async function* (touch: () => void): AsyncGenerator<Uint8Array> {
        try {
          for await (const chunk of chunks) {
            touch()
            yield chunk
          }
        } finally {
          resolve()
        }
      }
      this.#queue.push({
        source: { kind: 'stream', name, chunks: watched(() => this.#touch()) },
        taken: resolve,
        refused: reject,
      })
      this.#wake()
    })
  }

  finish(): void {
    this.#ended = true
    this.#wake()
  }
}

/** The open uploads of one workstation. */
export class Uploads {
  #open = new Map<string, Upload>()
  #workstation: Workstation

  constructor(workstation: Workstation) {
    this.#workstation = workstation
  }

  start(expected: number | null): { id: string; task: Task } {
    if (this.#open.size >= MAX_SESSIONS) {
      throw new AlcoveError('store/conflict', 'Too many uploads are open; finish one first.')
    }
    const upload = new Upload(this.#workstation, expected, (id) => this.#open.delete(id))
    this.#open.set(upload.id, upload)
    return { id: upload.id, task: upload.task }
  }

  #require(id: string): Upload {
    const upload = this.#open.get(id)
    if (upload === undefined) throw new AlcoveError('not-found', 'There is no such open upload.')
    return upload
  }

  async addFile(id: string, name: string, request: Request): Promise<void> {
    await this.#require(id).add(name, limitedBody(request, LIMITS.stowBodyBytes))
  }

  finish(id: string): Task {
    const upload = this.#require(id)
    upload.finish()
    return this.#workstation.tasks.get(upload.task.id) ?? upload.task
  }
}
