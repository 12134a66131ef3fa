import { createInflateRaw } from 'node:zlib'
import { Readable } from 'node:stream'
import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import type { InstanceHead, InstancePart } from '../types.ts'
import { HeaderReader, readMeta, type Header, type Meta } from './header.ts'
import { asBuffer, endsInFrame, inflateError, readTrailer, TRAILER_SCAN_BYTES } from './instance.ts'
import { PART_BYTES, walkPixels } from './pixels.ts'
import { NeedMoreBytes } from './scanner.ts'
import { START_BYTES } from './start.ts'

export interface ReadOptions {
  /** Between two chunks; the read then rejects with task/cancelled. */
  signal?: AbortSignal
}

/** Bytes that came and are not consumed yet, in front of those still to come. */
class ByteQueue {
  private readonly iterator: AsyncIterator<Uint8Array>
  private readonly signal: AbortSignal | undefined
  private chunks: Buffer[] = []
  private available = 0
  ended = false

  constructor(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
    this.iterator = chunks[Symbol.asyncIterator]()
    this.signal = signal
  }

  private async pull(): Promise<void> {
    if (this.signal?.aborted === true) throw new AlcoveError('task/cancelled', 'Reading was cancelled.')
    const next = await this.iterator.next()
    if (next.done === true) this.ended = true
    else if (next.value.length > 0) {
      this.chunks.push(asBuffer(next.value))
      this.available += next.value.length
    }
  }

  /** Up to `length` bytes in one piece without consuming them; fewer only at the end of the file. */
  async peek(length: number): Promise<Buffer> {
    while (this.available < length && !this.ended) await this.pull()
    const [first] = this.chunks
    if (first === undefined) return Buffer.alloc(0)
    if (first.length >= length || this.chunks.length === 1) return first.subarray(0, length)
    const joined = Buffer.concat(this.chunks, this.available)
    this.chunks = [joined]
    return joined.subarray(0, length)
  }

  /** Everything at hand, at least `length` bytes unless the file ends before. */
  async gather(length: number): Promise<Buffer> {
    await this.peek(length)
    return this.peek(this.available)
  }

  /** Consumes up to `length` bytes as one piece; fewer only at the end of the file. */
  async take(length: number): Promise<Buffer> {
    while (this.available < length && !this.ended) await this.pull()
    const pieces: Buffer[] = []
    let left = Math.min(length, this.available)
    this.available -= left
    while (left > 0) {
      const first = this.chunks[0]
      if (first === undefined) break
      if (first.length <= left) {
        pieces.push(first)
        this.chunks.shift()
        left -= first.length
      } else {
        pieces.push(first.subarray(0, left))
        this.chunks[0] = first.subarray(left)
        left = 0
      }
    }
    const [only] = pieces
    return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
  }

  async close(): Promise<void> {
    await this.iterator.return?.()
  }
}

/**
 * One DICOM file from a stream, read once from front to back; memory stays bounded by the header (LIMITS.dicomHeaderBytes)
 * and one part (16 MiB), except for deflated files, whose compressed bytes are held. The parts must be consumed to the
 * end (or the iterator returned): elements behind the pixel data join `head.dataset` when the last part has been given,
 * and a file that ends early is only known by then.
 * @throws AlcoveError as readInstanceBytes does, from here or while the parts are consumed; task/cancelled
 */
export async function readInstance(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadOptions = {},
): Promise<{ head: InstanceHead; parts: AsyncIterable<InstancePart> }> {
  const queue = new ByteQueue(chunks, options.signal)
  try {
    const meta = await readStreamMeta(queue)
    if (meta.deflated) return await readDeflated(queue, meta)
    const header = await readStreamHeader(queue, meta)
    return { head: header.head, parts: streamParts(queue, header) }
  } catch (error) {
    await queue.close()
    throw error
  }
}

async function readStreamMeta(queue: ByteQueue): Promise<Meta> {
  let wanted = START_BYTES
  for (;;) {
    const bytes = await queue.gather(wanted)
    try {
      return readMeta(bytes, queue.ended)
    } catch (error) {
      wanted = more(error, bytes.length)
    }
  }
}

/**
 * How many bytes to have before the next try: at least twice what was there, so that retries cost no more than reading;
 * never more than the limit, for what an element declares may not be there at all.
 */
function more(error: unknown, had: number): number {
  if (!(error instanceof NeedMoreBytes)) throw error
  const limit = LIMITS.dicomHeaderBytes
  if (had > limit) throw new AlcoveError('dicom/too-large', `More than ${limit} bytes stand before the pixel data.`)
  return Math.min(Math.max(error.total, had * 2), limit + 1)
}

async function readStreamHeader(queue: ByteQueue, meta: Meta): Promise<Header> {
  let reader: HeaderReader | null = null
  let wanted = meta.offset + 8
  for (;;) {
    const bytes = await queue.gather(wanted)
    try {
      if (reader === null) reader = new HeaderReader(bytes, meta, queue.ended)
      else reader.extend(bytes, queue.ended)
      return reader.read(() => bytes)
    } catch (error) {
      wanted = more(error, bytes.length)
    }
  }
}

async function* slices(
  queue: ByteQueue,
  kind: InstancePart['kind'],
  frame: number | null,
  length: number,
): AsyncGenerator<InstancePart, number> {
  let left = length
  while (left > 0) {
    const bytes = await queue.take(Math.min(left, PART_BYTES))
    if (bytes.length === 0) break
    yield { kind, frame, bytes }
    left -= bytes.length
  }
  return length - left
}

async function* streamParts(queue: ByteQueue, header: Header): AsyncGenerator<InstancePart, void> {
  const { layout } = header
  try {
    let position = yield* slices(queue, 'header', null, header.valueOffset)
    if (layout.frames > 0 || layout.encapsulated) {
      const walk = walkPixels(layout, null)
      let glue: Buffer[] = []
      let step = walk.next()
      while (step.done !== true) {
        const { value } = step
        if (value.op === 'peek') {
          step = walk.next(await queue.peek(value.length))
          continue
        }
        position += value.length
        if (value.kind === 'glue' && value.length <= PART_BYTES) {
          const bytes = await queue.take(value.length)
          if (bytes.length < value.length) throw endsInFrame(null, layout)
          glue.push(bytes)
        } else {
          if (glue.length > 0) yield { kind: 'glue', frame: null, bytes: Buffer.concat(glue) }
          glue = []
          const passed = yield* slices(queue, value.kind, value.frame, value.length)
          if (passed < value.length) throw endsInFrame(value.frame, layout)
        }
        step = walk.next(Buffer.alloc(0))
      }
      if (glue.length > 0) yield { kind: 'glue', frame: null, bytes: Buffer.concat(glue) }
    }
    readTrailer(await queue.peek(TRAILER_SCAN_BYTES), position, header)
    yield* slices(queue, 'trailer', null, Infinity)
  } finally {
    await queue.close()
  }
}

/** A deflated file: its compressed bytes are held, its data set is inflated piece by piece and only the header kept. */
async function readDeflated(
  queue: ByteQueue,
  meta: Meta,
): Promise<{ head: InstanceHead; parts: AsyncIterable<InstancePart> }> {
  const file = await queue.take(LIMITS.dicomInflatedBytes)
  if ((await queue.peek(1)).length > 0)
    throw new AlcoveError(
      'dicom/too-large',
      `A deflated file of more than ${LIMITS.dicomInflatedBytes} bytes is not read.`,
    )
  await queue.close()
  const inner = new ByteQueue(inflated(file, meta), undefined)
  const header = await readStreamHeader(inner, meta)
  for await (const part of streamParts(inner, header)) void part
  return {
    head: header.head,
    parts: (async function* () {
      for (let at = 0; at < file.length; at += PART_BYTES)
        yield { kind: 'whole' as const, frame: null, bytes: file.subarray(at, at + PART_BYTES) }
    })(),
  }
}

async function* inflated(file: Buffer, meta: Meta): AsyncGenerator<Uint8Array> {
  yield file.subarray(0, meta.offset)
  let total = 0
  const inflate = createInflateRaw()
  const source = Readable.from([file.subarray(meta.offset)])
  source.pipe(inflate)
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      total += chunk.length
      if (total > LIMITS.dicomInflatedBytes)
        throw new AlcoveError(
          'dicom/too-large',
          `The deflated data set holds more than ${LIMITS.dicomInflatedBytes} bytes.`,
        )
      yield chunk
    }
  } catch (error) {
    throw error instanceof AlcoveError ? error : inflateError(error)
  } finally {
    inflate.destroy()
  }
}
