import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import { looksLikeZip, STREAM_WEIGHT, WHOLE_BYTES } from './found-file.ts'
import type { ArchiveSource, FoundFile } from './found-file.ts'
import { archiveInMemory } from './zip.ts'

/** Chunks that arrive from the main thread. `taken` is called as they are used, so that the sender can hold back. */
export class StreamInbox {
  readonly #chunks: Uint8Array[] = []
  readonly #taken: (bytes: number) => void
  #ended = false
  #error: AlcoveError | null = null
  #discarding = false
  #wake: () => void = () => undefined

  constructor(taken: (bytes: number) => void) {
    this.#taken = taken
  }

  push(chunk: Uint8Array): void {
    if (this.#discarding) this.#taken(chunk.length)
    else this.#chunks.push(chunk)
    this.#wake()
  }

  end(error: AlcoveError | null): void {
    this.#ended = true
    this.#error = error
    this.#wake()
  }

  /** Nobody reads on: what still comes is taken and forgotten. */
  discard(): void {
    this.#discarding = true
    for (const chunk of this.#chunks.splice(0)) this.#taken(chunk.length)
  }

  async *read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift()
        if (chunk !== undefined) {
          this.#taken(chunk.length)
          yield chunk
        } else if (this.#error !== null) throw this.#error
        else if (this.#ended) return
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      this.discard()
    }
  }
}

/** A file that comes as a stream: gathered when it is small, read piece by piece when it is not. */
export function streamedFile(name: string, inbox: StreamInbox): FoundFile {
  return {
    name,
    weight: STREAM_WEIGHT,
    close: () => Promise.resolve(inbox.discard()),
    async read() {
      const chunks = inbox.read()
      const start = await gather(chunks, WHOLE_BYTES)
      if (looksLikeZip(start.bytes)) {
        const rest = start.ended ? start : await gather(chunks, LIMITS.zipNestedBytes)
        if (!rest.ended) {
          await chunks.return(undefined)
          throw new AlcoveError('archive/unsafe', 'The ZIP is too large to be sent as a stream. Import it as a file.')
        }
        const bytes = start.ended ? start.bytes : Buffer.concat([start.bytes, rest.bytes])
        return { kind: 'archive', archive: archiveOf(name, bytes) }
      }
      if (start.ended) return { kind: 'bytes', bytes: start.bytes }
      return { kind: 'chunks', chunks: following(start.bytes, chunks) }
    },
  }
}

async function gather(chunks: AsyncGenerator<Uint8Array>, limit: number): Promise<{ bytes: Buffer; ended: boolean }> {
  const pieces: Uint8Array[] = []
  let size = 0
  while (size < limit) {
    const next = await chunks.next()
    if (next.done === true) return { bytes: Buffer.concat(pieces), ended: true }
    pieces.push(next.value)
    size += next.value.length
  }
  return { bytes: Buffer.concat(pieces), ended: false }
}

async function* following(start: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield start
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

function archiveOf(name: string, bytes: Buffer): ArchiveSource {
  return archiveInMemory(name, bytes, 0, { left: Math.max(bytes.length, 1024) * LIMITS.zipExpansionRatio })
}
