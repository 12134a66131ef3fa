import type { MessagePort } from 'node:worker_threads'
import { AlcoveError } from '#common/errors.ts'
import { openCatalogue } from './catalogue.ts'
import type { CapsuleRow } from './catalogue.ts'
import { cataloguePath } from './data-folder.ts'
import { ImportJob } from './import/import-job.ts'
import { StreamInbox, streamedFile } from './import/stream-inbox.ts'
import { walk } from './import/walk.ts'
import type { Walked } from './import/walk.ts'
import { StoreWriter } from './store-writer.ts'
import type { ImportOutcome } from './types.ts'
import { fromWire, toWire } from './worker-protocol.ts'
import type { StudyWorkerData, WireError, WriteReply, WriteRequest } from './worker-protocol.ts'

const PROGRESS_MS = 100

interface Running {
  sources: SourceQueue
  abort: AbortController
  job: ImportJob
  outcomes: ImportOutcome[]
}

/** The one thread that writes studies. Several imports run in it side by side and share its batches. */
export function serveWrites(port: MessagePort, data: Extract<StudyWorkerData, { role: 'writer' }>): void {
  const send = (reply: WriteReply) => port.postMessage(reply)
  const jobs = new Map<number, Running>()
  const inboxes = new Map<number, StreamInbox>()
  const keys = new KeyRequests(send)
  const catalogue = openCatalogue(cataloguePath(data.dataDir), data.catalogueKey, data.catalogueCipher)
  data.catalogueKey.fill(0)
  const writer = new StoreWriter({
    dataDir: data.dataDir,
    catalogue,
    cipher: data.cipher,
    publicKey: data.publicKey,
    openKey: (capsule) => keys.ask(capsule),
    onAcknowledged: (studyInstanceUIDs) => send({ type: 'changed', studyInstanceUIDs }),
  })

  function start({ job: id, onlyStudy, outcomes }: Extract<WriteRequest, { type: 'import' }>): void {
    const abort = new AbortController()
    const running: Running = {
      sources: new SourceQueue(),
      abort,
      outcomes: [],
      job: new ImportJob(writer, {
        signal: abort.signal,
        onlyStudy,
        onOutcome: (outcome) => outcomes && running.outcomes.push(outcome),
      }),
    }
    jobs.set(id, running)
    const tell = () => {
      const { found, done, bytes, searched } = running.job
      send({ type: 'progress', job: id, progress: { done, total: searched ? found : null, bytes, note: '' } })
      if (running.outcomes.length > 0) send({ type: 'outcomes', job: id, outcomes: running.outcomes.splice(0) })
    }
    const timer = setInterval(tell, PROGRESS_MS)
    running.job
      .run(running.sources.files())
      .then(
        (summary) => {
          tell()
          send({ type: 'done', job: id, summary })
        },
        (error: unknown) => send({ type: 'failed', job: id, error: toWire(error) }),
      )
      .finally(() => {
        clearInterval(timer)
        jobs.delete(id)
      })
      .catch(() => undefined)
  }

  port.on('message', (request: WriteRequest) => {
    switch (request.type) {
      case 'import':
        start(request)
        break
      case 'path':
        jobs.get(request.job)?.sources.push(walk(request.path))
        break
      case 'stream': {
        const inbox = new StreamInbox((bytes) => send({ type: 'taken', stream: request.stream, bytes }))
        inboxes.set(request.stream, inbox)
        jobs.get(request.job)?.sources.push(one(streamedFile(request.name, inbox)))
        break
      }
      case 'chunk':
        inboxes.get(request.stream)?.push(request.bytes)
        break
      case 'stream-end':
        inboxes.get(request.stream)?.end(request.error === null ? null : fromWire(request.error))
        inboxes.delete(request.stream)
        break
      case 'sources-end':
        jobs.get(request.job)?.sources.end(request.error)
        break
      case 'abort': {
        const running = jobs.get(request.job)
        running?.abort.abort()
        running?.sources.end(null)
        break
      }
      case 'key':
        keys.answer(request)
        break
      case 'release':
        writer.release(request.studyInstanceUID)
        send({ type: 'released', request: request.request })
        break
      case 'close':
        writer.close()
        catalogue.close()
        send({ type: 'closed' })
        port.close()
        break
    }
  })
}

async function* one(file: Walked): AsyncGenerator<Walked> {
  yield await Promise.resolve(file)
}

/** Sources as they come in, flattened into files. */
class SourceQueue {
  readonly #sources: AsyncIterable<Walked>[] = []
  #ended = false
  #error: WireError | null = null
  #wake: () => void = () => undefined

  push(source: AsyncIterable<Walked>): void {
    if (this.#ended) return
    this.#sources.push(source)
    this.#wake()
  }

  end(error: WireError | null): void {
    this.#ended = true
    this.#error ??= error
    this.#wake()
  }

  async *files(): AsyncGenerator<Walked> {
    for (;;) {
      const source = this.#sources.shift()
      if (source !== undefined) yield* source
      else if (this.#error !== null) throw fromWire(this.#error)
      else if (this.#ended) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

/** Asks the main thread, which has the vault, to open a capsule's key. */
class KeyRequests {
  readonly #send: (reply: WriteReply) => void
  readonly #waiting = new Map<number, PromiseWithResolvers<Uint8Array>>()
  #next = 1

  constructor(send: (reply: WriteReply) => void) {
    this.#send = send
  }

  ask(capsule: CapsuleRow): Promise<Uint8Array> {
    const request = this.#next++
    const waiting = Promise.withResolvers<Uint8Array>()
    this.#waiting.set(request, waiting)
    this.#send({ type: 'need-key', request, capsule: capsule.id, sealedKey: capsule.sealedKey })
    return waiting.promise
  }

  answer({ request, key, error }: Extract<WriteRequest, { type: 'key' }>): void {
    const waiting = this.#waiting.get(request)
    this.#waiting.delete(request)
    if (key !== null) waiting?.resolve(key)
    else waiting?.reject(error === null ? new AlcoveError('vault/locked', 'The studies are locked.') : fromWire(error))
  }
}
