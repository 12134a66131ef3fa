import { randomBytes } from 'node:crypto'
import { streamOnceStarted } from '#node/http/body.ts'
import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'

export interface MultipartPart {
  /** Header names in lower case. */
  headers: ReadonlyMap<string, string>
  /** Must be read (or left) before the next part is asked for; what was left unread is skipped then. */
  body: AsyncGenerator<Uint8Array>
}

const CRLF = Buffer.from('\r\n')
const HEADER_END = Buffer.from('\r\n\r\n')

/** A window over the incoming chunks that can look for a byte sequence across their borders. */
class Incoming {
  #source: AsyncIterator<Uint8Array>
  buffer = Buffer.alloc(0)
  ended = false

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#source = chunks[Symbol.asyncIterator]()
  }

  async more(): Promise<void> {
    const { done, value } = await this.#source.next()
    if (done === true) this.ended = true
    else this.buffer = this.buffer.length === 0 ? Buffer.from(value) : Buffer.concat([this.buffer, value])
  }

  take(length: number): Buffer {
    const taken = this.buffer.subarray(0, length)
    this.buffer = this.buffer.subarray(length)
    return taken
  }

  async atLeast(length: number): Promise<boolean> {
    while (this.buffer.length < length && !this.ended) await this.more()
    return this.buffer.length >= length
  }
}

function cutShort(): AlcoveError {
  return new AlcoveError('request/invalid', 'The multipart body is cut short: its closing boundary is missing.')
}

/** Bytes up to the delimiter, which is consumed. Memory: one chunk and a delimiter's length. */
async function* untilDelimiter(incoming: Incoming, delimiter: Buffer): AsyncGenerator<Uint8Array> {
  for (;;) {
    const at = incoming.buffer.indexOf(delimiter)
    if (at >= 0) {
      if (at > 0) yield incoming.take(at)
      incoming.take(delimiter.length)
      return
    }
    const certain = incoming.buffer.length - delimiter.length + 1
    if (certain > 0) yield incoming.take(certain)
    if (incoming.ended) throw cutShort()
    await incoming.more()
  }
}

async function readHeaders(incoming: Incoming): Promise<Map<string, string>> {
  // A part without headers has its empty line at once.
  if ((await incoming.atLeast(2)) && incoming.buffer.subarray(0, 2).equals(CRLF)) {
    incoming.take(2)
    return new Map()
  }
  let at = incoming.buffer.indexOf(HEADER_END)
  while (at < 0) {
    if (incoming.ended) throw cutShort()
    if (incoming.buffer.length > LIMITS.stowHeaderBytes) {
      throw new AlcoveError('request/too-large', `The headers of a part exceed ${LIMITS.stowHeaderBytes} bytes.`)
    }
    await incoming.more()
    at = incoming.buffer.indexOf(HEADER_END)
  }
  const text = incoming.take(at + HEADER_END.length).toString('latin1')
  const headers = new Map<string, string>()
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return headers
}

/**
 * Reads multipart bodies (RFC 2046 section 5.1) part by part while they arrive.
 * @throws request/invalid when the boundary is wrong or the body is cut short, request/too-large for absurd headers
 */
export async function* readMultipart(
  chunks: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<MultipartPart> {
  if (boundary === '' || boundary.length > 70 || /[^ -~]/.test(boundary)) {
    throw new AlcoveError('request/invalid', 'The multipart Content-Type has no valid boundary.')
  }
  const incoming = new Incoming(chunks)
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  // The first delimiter may stand at the very start, where no line end precedes it.
  incoming.buffer = Buffer.from('\r\n')
  for await (const _ of untilDelimiter(incoming, delimiter)) void _
  for (;;) {
    if (!(await incoming.atLeast(2))) throw cutShort()
    if (incoming.buffer.subarray(0, 2).toString('latin1') === '--') return
    // Transport padding (spaces) may follow a delimiter.
    for await (const _ of untilDelimiter(incoming, CRLF)) void _
    const headers = await readHeaders(incoming)
    const body = untilDelimiter(incoming, delimiter)
    let finished = false
    // Stepped by hand: leaving a `for await` early would end `body` too, and the rest of the part must still be skipped.
    const watched = (async function* () {
      for (;;) {
        const step = await body.next()
        if (step.done === true) break
        yield step.value
      }
      finished = true
    })()
    yield { headers, body: watched }
    while (!finished) {
      const { done } = await body.next()
      if (done === true) finished = true
    }
  }
}

export interface OutgoingPart {
  contentType: string
  contentLocation?: string
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/**
 * A multipart/related response (RFC 2387) whose parts are produced while the caller reads.
 * @throws what the first part throws at its beginning
 */
export async function multipartResponse(type: string, parts: AsyncIterable<OutgoingPart>): Promise<Response> {
  const boundary = `alcove-${randomBytes(12).toString('hex')}`
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      const location = part.contentLocation === undefined ? '' : `Content-Location: ${part.contentLocation}\r\n`
      yield Buffer.from(`\r\n--${boundary}\r\nContent-Type: ${part.contentType}\r\n${location}\r\n`)
      for await (const chunk of part.body) yield chunk
    }
    yield Buffer.from(`\r\n--${boundary}--\r\n`)
  }
  // Two chunks: the head of the first part and the beginning of its body.
  return new Response(await streamOnceStarted(bytes(), 2), {
    headers: { 'Content-Type': `multipart/related; type="${type}"; boundary=${boundary}` },
  })
}
