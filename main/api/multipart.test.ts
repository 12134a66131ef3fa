import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AlcoveError } from '#common/errors.ts'
import { multipartResponse, readMultipart } from './multipart.ts'

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

async function parts(text: string | Uint8Array, boundary: string, size = 7): Promise<[string, string][]> {
  const found: [string, string][] = []
  for await (const part of readMultipart(inChunks(Buffer.from(text), size), boundary)) {
    found.push([part.headers.get('content-type') ?? '', (await collect(part.body)).toString('latin1')])
  }
  return found
}

const BODY =
  'preamble\r\n--b\r\nContent-Type: application/dicom\r\n\r\none\r\n--bx\r\n\r\n--b  \r\n\r\ntwo\r\n--b\r\nX: y\r\n\r\n\r\n--b--\r\nepilogue'

describe('readMultipart', () => {
  it.each([1, 2, 3, 5, 1000])('reads parts arriving in pieces of %i bytes', async (size) => {
    // "\r\n--bx" begins like a delimiter: by RFC 2046 it is one only with the exact boundary, so senders must not
    // write it; what follows the boundary up to the line end is padding.
    const plain = BODY.replace('\r\n--bx\r\n', '-bx')
    expect(await parts(plain, 'b', size)).toEqual([
      ['application/dicom', 'one-bx'],
      ['', 'two'],
      ['', ''],
    ])
  })

  it('keeps bytes that look like line ends', async () => {
    const bytes = Buffer.from([0, 13, 10, 45, 45, 13, 10, 13, 10, 255])
    const body = Buffer.concat([Buffer.from('--q\r\n\r\n'), bytes, Buffer.from('\r\n--q--')])
    expect((await parts(body, 'q', 3))[0]![1]).toBe(bytes.toString('latin1'))
  })

  it.each(['never begun', 'left half-way'])('skips what a reader left: %s', async (how) => {
    const text = '--b\r\nA: 1\r\n\r\na long body\r\n--b\r\nA: 2\r\n\r\nx\r\n--b--'
    const seen: string[] = []
    for await (const part of readMultipart(inChunks(Buffer.from(text), 4), 'b')) {
      seen.push(part.headers.get('a')!)
      if (how === 'left half-way') for await (const _ of part.body) break
    }
    expect(seen).toEqual(['1', '2'])
  })

  it.each(['--b\r\n\r\nno end', 'no boundary at all', '--b\r\nHeader: without end', ''])(
    'says that %j is cut short',
    async (text) => {
      await expect(parts(text, 'b')).rejects.toMatchObject({ code: 'request/invalid' })
    },
  )

  it('gives back any bytes, cut anywhere', async () => {
    const boundary = 'alcove-boundary'
    // Pieces of delimiters among the bytes are the hard case; the whole delimiter must not occur (RFC 2046).
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.constantFrom('\r', '\n', '\r\n', '--', '\r\n--', '\r\n--alcove', '\r\n\r\n').map((text) => Buffer.from(text)),
    )
    const body = fc
      .array(piece, { maxLength: 8 })
      .map((list) => Buffer.concat(list))
      .filter((bytes) => !bytes.includes(`\r\n--${boundary}`))
    await fc.assert(
      fc.asyncProperty(
        fc.array(body, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 40 }),
        async (list, size) => {
          const text = Buffer.concat([
            ...list.flatMap((bytes) => [Buffer.from(`\r\n--${boundary}\r\nA: b\r\n\r\n`), bytes]),
            Buffer.from(`\r\n--${boundary}--`),
          ])
          const found = (await parts(text, boundary, size)).map(([, received]) => received)
          expect(found).toEqual(list.map((bytes) => bytes.toString('latin1')))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('bounds the headers of a part', async () => {
    await expect(parts(`--b\r\nA: ${'x'.repeat(70_000)}`, 'b', 4096)).rejects.toMatchObject({
      code: 'request/too-large',
    })
  })
})

describe('multipartResponse', () => {
  it('fails as a whole when its first part cannot begin', async () => {
    const damaged = new AlcoveError('store/corrupt', 'A stored object is damaged.')
    const unreadable: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(damaged) }),
    }
    async function* outgoing() {
      yield { contentType: 'application/dicom', body: unreadable }
    }
    await expect(multipartResponse('application/dicom', outgoing())).rejects.toMatchObject({ code: 'store/corrupt' })
  })

  it('is read back by the platform-independent rules it was written by', async () => {
    async function* outgoing() {
      yield { contentType: 'application/dicom', body: [Buffer.from('a\r\nb')] }
      yield { contentType: 'image/jls; transfer-syntax=1.2', contentLocation: '/x', body: [Buffer.from('c')] }
    }
    const response = await multipartResponse('application/dicom', outgoing())
    const type = response.headers.get('Content-Type')!
    expect(type).toMatch(/^multipart\/related; type="application\/dicom"; boundary=alcove-[0-9a-f]{24}$/)
    const text = await response.text()
    expect(await parts(text, type.split('boundary=')[1]!)).toEqual([
      ['application/dicom', 'a\r\nb'],
      ['image/jls; transfer-syntax=1.2', 'c'],
    ])
  })
})
