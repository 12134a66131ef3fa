import { AlcoveError } from '#common/errors.ts'

/**
 * The request's body as chunks, ended with request/too-large beyond `limitBytes`. A declared Content-Length over the
 * limit fails before a byte is read.
 */
export async function* limitedBody(request: Request, limitBytes: number): AsyncGenerator<Uint8Array> {
  const tooLarge = (): AlcoveError =>
    new AlcoveError('request/too-large', `The request is larger than ${limitBytes} bytes, the most taken here.`)
  const declared = Number(request.headers.get('Content-Length') ?? 0)
  if (declared > limitBytes) throw tooLarge()
  if (request.body === null) return
  let received = 0
  for await (const chunk of request.body) {
    received += chunk.length
    if (received > limitBytes) throw tooLarge()
    yield chunk
  }
}

/** @throws request/too-large, request/invalid when the body is not JSON, request/unsupported-media-type */
export async function readJson(request: Request, limitBytes: number): Promise<unknown> {
  const type = (request.headers.get('Content-Type') ?? '').split(';')[0]!.trim().toLowerCase()
  if (type !== 'application/json') {
    throw new AlcoveError('request/unsupported-media-type', 'This address takes application/json.')
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of limitedBody(request, limitBytes)) chunks.push(chunk)
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw new AlcoveError('request/invalid', 'The request body is not JSON.', { cause: error })
  }
}

/** A web stream that asks `source` for a chunk only when the reader wants one, and ends it when the reader leaves. */
export function streamOf(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = source[Symbol.asyncIterator]()
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await iterator.next()
          if (done === true) controller.close()
          else controller.enqueue(value as Uint8Array<ArrayBuffer>)
        } catch (error) {
          controller.error(error)
        }
      },
      async cancel() {
        await iterator.return?.()
      },
    },
    { highWaterMark: 1 },
  )
}

/**
 * As streamOf, once the first `chunks` chunks are there: a source that fails at its beginning still fails as an answer
 * with a status, not as a stream cut short after 200.
 */
export async function streamOnceStarted(
  source: AsyncIterable<Uint8Array>,
  chunks = 1,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const iterator = source[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  while (first.length < chunks) {
    const step = await iterator.next()
    if (step.done === true) break
    first.push(step.value)
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      yield* first
      for (;;) {
        const step = await iterator.next()
        if (step.done === true) return
        yield step.value
      }
    } finally {
      await iterator.return?.()
    }
  }
  return streamOf(whole())
}
