import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { isAlcoveError } from '#common/errors.ts'
import { text } from '#common/dicom/json.ts'
import type { InstanceHead, InstancePart } from '../types.ts'
import {
  frameFromWhole,
  inflateInstance,
  parseBulkDataUri,
  readInstance,
  readInstanceBytes,
  unpackFrame,
} from './index.ts'
import {
  BIG_ENDIAN,
  compressedFile,
  el,
  EXPLICIT,
  identity,
  image,
  IMPLICIT,
  item,
  ITEM,
  ITEM_END,
  nativeFile,
  part10,
  SEQUENCE_END,
  u16,
  u32,
  UIDS,
  UNDEFINED,
} from './testing/elements.ts'

const EXPLICIT_LE = '1.2.840.10008.1.2.1'
const JPEG = '1.2.840.10008.1.2.4.50'
const J2K = '1.2.840.10008.1.2.4.90'
const RLE = '1.2.840.10008.1.2.5'

async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

async function streamed(bytes: Buffer, size = 7): Promise<{ head: InstanceHead; parts: InstancePart[] }> {
  const { head, parts } = await readInstance(chunked(bytes, size))
  const list: InstancePart[] = []
  for await (const part of parts) list.push(part)
  return { head, parts: list }
}

function framesOf(parts: readonly InstancePart[]): Map<number, Buffer> {
  const map = new Map<number, Buffer>()
  for (const part of parts)
    if (part.frame !== null) map.set(part.frame, Buffer.concat([map.get(part.frame) ?? Buffer.alloc(0), part.bytes]))
  return map
}

function joined(parts: readonly InstancePart[]): Buffer {
  return Buffer.concat(parts.map((part) => part.bytes))
}

/** Reads both ways and checks that they agree and that nothing is lost. */
async function read(
  bytes: Buffer,
): Promise<{ head: InstanceHead; parts: InstancePart[]; frames: Map<number, Buffer> }> {
  const whole = readInstanceBytes(bytes)
  const stream = await streamed(bytes)
  expect(joined(whole.parts).equals(bytes)).toBe(true)
  expect(joined(stream.parts).equals(bytes)).toBe(true)
  expect(stream.head).toEqual(whole.head)
  expect(framesOf(stream.parts)).toEqual(framesOf(whole.parts))
  return { ...whole, frames: framesOf(whole.parts) }
}

/** The code with which both ways refuse. */
async function refusal(bytes: Buffer): Promise<string> {
  const codes: string[] = []
  for (const attempt of [(): unknown => readInstanceBytes(bytes), () => streamed(bytes)]) {
    try {
      await attempt()
      codes.push('accepted')
    } catch (error) {
      codes.push(isAlcoveError(error) ? error.code : String(error))
    }
  }
  expect(codes[1]).toBe(codes[0])
  return codes[0] ?? ''
}

describe('native pixel data', () => {
  it('gives each frame its bytes and keeps padding and trailing elements', async () => {
    const pixels = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
    const file = Buffer.concat([
      nativeFile(1, 3, 3, 8, pixels),
      el(0xfffcfffc, 'OB', Buffer.alloc(4)),
      el(0x7fe11001, 'LO', 'after'),
    ])
    const { head, parts, frames } = await read(file)
    expect(head).toMatchObject({
      frames: 3,
      transferSyntaxUID: EXPLICIT_LE,
      sopInstanceUID: UIDS.sop,
      studyInstanceUID: UIDS.study,
      seriesInstanceUID: UIDS.series,
      sopClassUID: UIDS.sopClass,
    })
    expect([...frames.values()].map((frame) => [...frame])).toEqual([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ])
    expect(parts.map((part) => part.kind)).toEqual(['header', 'frame', 'frame', 'frame', 'glue', 'trailer'])
    expect(text(head.dataset, '7FE11001')).toBe('after')
    expect(head.dataset['7FE00010']).toBeUndefined()
  })

  it('copies nothing', () => {
    const file = nativeFile(2, 2, 1, 16, Buffer.alloc(8, 7))
    for (const part of readInstanceBytes(file).parts) expect(part.bytes.buffer).toBe(file.buffer)
  })

  it('keeps 1-bit frames that share a byte together and cuts them out again', async () => {
    // 3 frames of 1 × 5: bits (first pixel least significant) 11001 | 00110 | 10101 → 0b0_01100_..., by hand:
    // stream of bits 1,1,0,0,1, 0,0,1,1,0, 1,0,1,0,1 → byte 0 = 10010011b read from bit 7 to 0, byte 1 = 01010101b … .
    const bits = [1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1]
    const pixels = Buffer.alloc(2)
    bits.forEach((bit, i) => (pixels[i >> 3] = (pixels[i >> 3] ?? 0) | (bit << (i & 7))))
    const { head, frames } = await read(nativeFile(1, 5, 3, 1, pixels))
    expect(head).toMatchObject({ frames: 3, packedBits: 5 })
    expect([...frames.keys()]).toEqual([1])
    const stored = frames.get(1) ?? Buffer.alloc(0)
    expect([1, 2, 3].map((frame) => [...unpackFrame(stored, 5, frame)])).toEqual([[0b10011], [0b01100], [0b10101]])
    expect(() => unpackFrame(stored, 5, 4)).toThrow(/no frame 4/)
  })

  it('splits 1-bit frames that fill their bytes', async () => {
    const { head, frames } = await read(nativeFile(2, 4, 2, 1, Buffer.from([0xa5, 0x3c])))
    expect(head.packedBits).toBeUndefined()
    expect([...frames.values()].map((frame) => [...frame])).toEqual([[0xa5], [0x3c]])
  })

  it('counts two samples a pixel for 4:2:2', async () => {
    const dataset = Buffer.concat([
      identity(),
      el(0x00280002, 'US', u16(3)),
      el(0x00280004, 'CS', 'YBR_FULL_422'),
      el(0x00280008, 'IS', '2'),
      el(0x00280010, 'US', u16(2)),
      el(0x00280011, 'US', u16(2)),
      el(0x00280100, 'US', u16(8)),
      el(0x7fe00010, 'OB', Buffer.from('aaaaaaaabbbbbbbb')),
    ])
    const { frames } = await read(part10(EXPLICIT_LE, dataset))
    expect([...frames.values()].map(String)).toEqual(['aaaaaaaa', 'bbbbbbbb'])
  })

  it('cuts very large frames into parts of 16 MiB', async () => {
    const pixels = Buffer.alloc(5000 * 5000, 3)
    const file = nativeFile(5000, 5000, 1, 8, pixels)
    const whole = readInstanceBytes(file).parts.filter((part) => part.kind === 'frame')
    const stream = (await streamed(file, 100_000)).parts.filter((part) => part.kind === 'frame')
    const sizes = [16 * 1024 * 1024, pixels.length - 16 * 1024 * 1024]
    expect(whole.map((part) => part.bytes.length)).toEqual(sizes)
    expect(stream.map((part) => part.bytes.length)).toEqual(sizes)
  })

  it('has no frames where Pixel Data is absent or empty', async () => {
    expect((await read(part10(EXPLICIT_LE, identity()))).head.frames).toBe(0)
    expect((await read(nativeFile(2, 2, 1, 8, Buffer.alloc(0)))).head.frames).toBe(0)
  })
})

describe('encapsulated pixel data', () => {
  const soi = (fill: number, length = 6): Buffer =>
    Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(length - 4, fill)])
  const rest = (fill: number, length = 4): Buffer => Buffer.alloc(length, fill)
  const soc = (fill: number): Buffer => Buffer.concat([Buffer.from([0xff, 0x4f, 0xff, 0x51]), Buffer.alloc(4, fill)])
  const table = (...offsets: number[]): Buffer => Buffer.concat(offsets.map((offset) => u32(offset)))

  it('follows the Basic Offset Table', async () => {
    // Fragments of 6, 4, 6 and 4 bytes with 8-byte item headers: they begin at 0, 14, 26, 40.
    const { frames } = await read(compressedFile(JPEG, 2, table(0, 26), [soi(1), rest(2), soi(3), rest(4)]))
    expect([...frames.entries()]).toEqual([
      [1, Buffer.concat([soi(1), rest(2)])],
      [2, Buffer.concat([soi(3), rest(4)])],
    ])
  })

  it('follows the Extended Offset Table', async () => {
    const extended = Buffer.alloc(16)
    extended.writeBigUInt64LE(0n, 0)
    extended.writeBigUInt64LE(26n, 8)
    const { frames } = await read(
      compressedFile(RLE, 2, Buffer.alloc(0), [rest(1, 6), rest(2), rest(3, 6), rest(4)], {
        before: el(0x7fe00001, 'OV', extended),
      }),
    )
    expect([...frames.values()]).toEqual([Buffer.concat([rest(1, 6), rest(2)]), Buffer.concat([rest(3, 6), rest(4)])])
  })

  it('gives a single frame all fragments', async () => {
    const { frames } = await read(compressedFile(JPEG, 1, Buffer.alloc(0), [soi(1), rest(2), rest(3)]))
    expect([...frames.values()]).toEqual([Buffer.concat([soi(1), rest(2), rest(3)])])
  })

  it('gives each of N fragments to one of N frames', async () => {
    const { frames } = await read(compressedFile(RLE, 3, Buffer.alloc(0), [rest(1), rest(2), rest(3)]))
    expect([...frames.values()]).toEqual([rest(1), rest(2), rest(3)])
  })

  it.each([
    ['JPEG', JPEG, soi],
    ['JPEG 2000', J2K, soc],
  ])('finds frames by the start of their %s codestreams when there is no table', async (_name, syntax, start) => {
    const { frames } = await read(
      compressedFile(syntax, 2, Buffer.alloc(0), [start(1), rest(2), rest(3), start(4), rest(5)]),
    )
    expect([...frames.values()]).toEqual([
      Buffer.concat([start(1), rest(2), rest(3)]),
      Buffer.concat([start(4), rest(5)]),
    ])
  })

  it('does not believe a table of zeros', async () => {
    const { frames } = await read(compressedFile(JPEG, 2, table(0, 0), [soi(1), soi(2)]))
    expect([...frames.values()]).toEqual([soi(1), soi(2)])
  })

  it('serves a video as one stream', async () => {
    const { head, frames } = await read(
      compressedFile('1.2.840.10008.1.2.4.102', 185, Buffer.alloc(0), [rest(1), rest(2)]),
    )
    expect(head.frames).toBe(1)
    expect(frames.get(1)).toEqual(Buffer.concat([rest(1), rest(2)]))
  })

  it('accepts a missing delimiter when every frame is there, and refuses when one is not', async () => {
    expect(
      (await read(compressedFile(RLE, 2, Buffer.alloc(0), [rest(1), rest(2)], { delimiter: false }))).head.frames,
    ).toBe(2)
    expect(await refusal(compressedFile(JPEG, 4, Buffer.alloc(0), [soi(1), rest(2), soi(3)]))).toBe('dicom/truncated')
    expect(
      await refusal(compressedFile(RLE, 1, Buffer.alloc(0), [rest(1, 64)], { delimiter: false }).subarray(0, -10)),
    ).toBe('dicom/truncated')
  })
})

describe('recognising files', () => {
  const dataset = (how = EXPLICIT): Buffer =>
    Buffer.concat([identity(how), image(1, 2, 1, 8, how), el(0x7fe00010, 'OW', Buffer.from([1, 2]), how)])

  it.each([
    ['explicit little endian', EXPLICIT, EXPLICIT_LE],
    ['implicit little endian', IMPLICIT, '1.2.840.10008.1.2'],
    ['explicit big endian', BIG_ENDIAN, '1.2.840.10008.1.2.2'],
  ])('reads %s with file meta information, and without', async (_name, how, uid) => {
    for (const file of [part10(uid, dataset(how)), dataset(how)]) {
      const { head, frames } = await read(file)
      expect(head.transferSyntaxUID).toBe(uid)
      expect(head.dataset['00280011']).toEqual({ vr: 'US', Value: [2] })
      expect(frames.get(1)).toEqual(Buffer.from([1, 2]))
    }
  })

  it('reads file meta information without a preamble', async () => {
    const file = part10(EXPLICIT_LE, dataset()).subarray(132)
    expect((await read(file)).head.transferSyntaxUID).toBe(EXPLICIT_LE)
  })

  it('sees through a wrong declaration of explicit or implicit VR', async () => {
    expect((await read(part10(EXPLICIT_LE, dataset(IMPLICIT)))).head.dataset['00280004']).toEqual({
      vr: 'CS',
      Value: ['MONOCHROME2'],
    })
    expect((await read(part10('1.2.840.10008.1.2', dataset(EXPLICIT)))).head.dataset['00280004']).toEqual({
      vr: 'CS',
      Value: ['MONOCHROME2'],
    })
  })

  it.each([
    ['text', Buffer.from('This is a letter and no picture.\n'.repeat(20))],
    ['JPEG', Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(300, 9)])],
    ['PNG', Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(300)])],
    ['PDF', Buffer.from('%PDF-1.7\n'.repeat(40))],
    ['zeros', Buffer.alloc(1000)],
    ['a few bytes', Buffer.from([8, 0])],
  ])('refuses %s', async (_name, bytes) => {
    expect(await refusal(bytes)).toBe('dicom/not-dicom')
  })

  it('refuses random bytes without taking them for anything', async () => {
    let state = 1
    for (let round = 0; round < 200; round += 1) {
      const bytes = Buffer.alloc(400)
      for (let i = 0; i < bytes.length; i += 1) bytes[i] = (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24
      expect(['dicom/not-dicom', 'dicom/truncated', 'dicom/missing-attribute', 'dicom/corrupt']).toContain(
        await refusal(bytes),
      )
    }
  })

  it('names an empty file and a DICOMDIR', async () => {
    expect(await refusal(Buffer.alloc(0))).toBe('file/empty')
    const meta = el(0x00020002, 'UI', '1.2.840.10008.1.3.10')
    expect(
      await refusal(Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), meta, el(0x00041130, 'CS', 'DISK')])),
    ).toBe('dicom/dicomdir')
  })

  it.each([
    [0x00080018, 'SOP Instance UID'],
    [0x00080016, 'SOP Class UID'],
    [0x0020000d, 'Study Instance UID'],
    [0x0020000e, 'Series Instance UID'],
  ])('names the missing identifier %i', (tag, name) => {
    const all = identity()
    const element = u32(0)
    element.writeUInt16LE(tag >>> 16, 0)
    element.writeUInt16LE(tag & 0xffff, 2)
    const at = all.indexOf(element)
    const length = 8 + all.readUInt16LE(at + 6)
    const without = Buffer.concat([all.subarray(0, at), all.subarray(at + length)])
    expect(() => readInstanceBytes(part10(EXPLICIT_LE, without))).toThrow(
      expect.objectContaining({ code: 'dicom/missing-attribute', message: expect.stringContaining(name) }),
    )
  })
})

describe('deflated files', () => {
  const data = Buffer.concat([
    identity(),
    image(1, 2, 2, 8),
    el(0x00291010, 'OB', Buffer.alloc(3000, 5)),
    el(0x7fe00010, 'OB', Buffer.from([1, 2, 3, 4])),
  ])
  const file = part10('1.2.840.10008.1.2.1.99', deflateRawSync(data))

  it('are kept whole, and their frames and bulk data are reached by inflating', async () => {
    const { head, parts } = await read(file)
    expect(head).toMatchObject({ frames: 2 })
    expect(parts.map((part) => part.kind)).toEqual(['whole'])
    expect([...frameFromWhole(file, 2)]).toEqual([3, 4])
    expect(() => frameFromWhole(file, 3)).toThrow(/no frame 3/)
    const place = parseBulkDataUri(head.dataset['00291010']?.BulkDataURI ?? '')
    expect(place?.length).toBe(3000)
    expect(Buffer.from(inflateInstance(file)).subarray(place?.offset, (place?.offset ?? 0) + 3000)).toEqual(
      Buffer.alloc(3000, 5),
    )
  })

  it('are refused when cut off or broken', async () => {
    expect(await refusal(file.subarray(0, -20))).toBe('dicom/truncated')
    const broken = Buffer.from(file)
    broken.fill(0xff, broken.length - 40)
    expect(['dicom/corrupt', 'dicom/truncated']).toContain(await refusal(broken))
  })
})

describe('sequences and odd structure', () => {
  const wrap = (between: Buffer): Buffer => part10(EXPLICIT_LE, identity(EXPLICIT, between))
  const inner = el(0x00100020, 'LO', 'inside')
  const implicitInner = el(0x00100020, 'LO', 'inside', IMPLICIT)
  const expected = { vr: 'SQ', Value: [{ '00100020': { vr: 'LO', Value: ['inside'] } }] }
  const end = item(SEQUENCE_END, Buffer.alloc(0))
  const itemEnd = item(ITEM_END, Buffer.alloc(0))

  it.each([
    ['defined lengths', el(0x00081140, 'SQ', item(ITEM, inner))],
    [
      'undefined lengths',
      Buffer.concat([
        el(0x00081140, 'SQ', Buffer.alloc(0), EXPLICIT, UNDEFINED),
        item(ITEM, inner, EXPLICIT, UNDEFINED),
        itemEnd,
        end,
      ]),
    ],
    [
      'a missing item delimiter',
      Buffer.concat([
        el(0x00081140, 'SQ', Buffer.alloc(0), EXPLICIT, UNDEFINED),
        item(ITEM, inner, EXPLICIT, UNDEFINED),
        end,
      ]),
    ],
    [
      'a delimiter after an item of defined length',
      Buffer.concat([el(0x00081140, 'SQ', Buffer.alloc(0), EXPLICIT, UNDEFINED), item(ITEM, inner), itemEnd, end]),
    ],
    ['a stray delimiter behind a defined sequence', Buffer.concat([el(0x00081140, 'SQ', item(ITEM, inner)), end])],
    [
      'UN of undefined length, implicit inside',
      Buffer.concat([el(0x00081140, 'UN', Buffer.alloc(0), EXPLICIT, UNDEFINED), item(ITEM, implicitInner), end]),
    ],
    [
      'UN of undefined length, explicit inside against the rule',
      Buffer.concat([el(0x00081140, 'UN', Buffer.alloc(0), EXPLICIT, UNDEFINED), item(ITEM, inner), end]),
    ],
    ['UN of defined length for a public sequence', el(0x00081140, 'UN', item(ITEM, implicitInner))],
  ])('reads a sequence with %s', async (_name, bytes) => {
    expect((await read(wrap(bytes))).head.dataset['00081140']).toEqual(expected)
  })

  it('reads private sequences in UN and keeps what cannot be read as UN', async () => {
    const creator = el(0x00090010, 'LO', 'NOBODY')
    const good = Buffer.concat([
      creator,
      el(0x00091001, 'UN', Buffer.alloc(0), EXPLICIT, UNDEFINED),
      item(ITEM, implicitInner),
      end,
    ])
    expect((await read(wrap(good))).head.dataset['00091001']).toEqual(expected)
    const bad = Buffer.concat([creator, el(0x00091001, 'SQ', Buffer.from('no item here'))])
    expect((await read(wrap(bad))).head.dataset['00091001']).toEqual({
      vr: 'UN',
      InlineBinary: Buffer.from('no item here').toString('base64'),
    })
  })

  it('leaves out group lengths and reads an element written implicitly among explicit ones', async () => {
    const dataset = (
      await read(wrap(Buffer.concat([el(0x00090000, 'UL', u32(10)), el(0x00101000, 'LO', 'x', IMPLICIT)])))
    ).head.dataset
    expect(dataset['00090000']).toBeUndefined()
    expect(dataset['00101000']).toEqual({ vr: 'LO', Value: ['x'] })
  })

  it('keeps numbers whose length does not fit their VR as bytes', async () => {
    const dataset = (await read(wrap(el(0x00181310, 'US', Buffer.from([1, 2, 3]))))).head.dataset
    expect(dataset['00181310']).toEqual({ vr: 'UN', InlineBinary: 'AQID' })
  })

  it('swaps inline words of big endian', async () => {
    const dataset = part10(
      '1.2.840.10008.1.2.2',
      identity(BIG_ENDIAN, el(0x00091001, 'OW', Buffer.from([1, 2, 3, 4]), BIG_ENDIAN)),
    )
    expect((await read(dataset)).head.dataset['00091001']).toEqual({
      vr: 'OW',
      InlineBinary: Buffer.from([2, 1, 4, 3]).toString('base64'),
    })
  })

  it('points to binary values over 1 KiB', async () => {
    const file = wrap(
      Buffer.concat([el(0x00091001, 'OB', Buffer.alloc(1024, 1)), el(0x00091002, 'OB', Buffer.alloc(1026, 2))]),
    )
    const { dataset } = (await read(file)).head
    expect(dataset['00091001']?.InlineBinary?.length).toBe(1368)
    const place = parseBulkDataUri(dataset['00091002']?.BulkDataURI ?? '')
    expect(file.subarray(place?.offset, (place?.offset ?? 0) + (place?.length ?? 0))).toEqual(Buffer.alloc(1026, 2))
  })

  it('refuses sequences nested beyond the limit, without growing a stack', async () => {
    const level = Buffer.concat([
      el(0x00081140, 'SQ', Buffer.alloc(0), EXPLICIT, UNDEFINED),
      item(ITEM, Buffer.alloc(0), EXPLICIT, UNDEFINED),
    ])
    expect(await refusal(wrap(Buffer.concat(Array.from({ length: 100_000 }, () => level))))).toBe('dicom/corrupt')
  })
})

describe('absurd sizes', () => {
  const start = Buffer.concat([el(0x00080016, 'UI', UIDS.sopClass), el(0x00080018, 'UI', UIDS.sop)])

  it('does not allocate what a header merely declares', async () => {
    const before = process.memoryUsage().arrayBuffers
    const huge = part10(
      EXPLICIT_LE,
      Buffer.concat([start, el(0x00091001, 'OB', Buffer.alloc(10), EXPLICIT, 0xfffffff0)]),
    )
    expect(await refusal(huge)).toBe('dicom/truncated')
    const pixels = nativeFile(65_535, 65_535, 1, 16, Buffer.alloc(100))
    expect(await refusal(pixels)).toBe('dicom/truncated')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024)
  })

  it('refuses a number of frames beyond the limit and pixel data that are too short', async () => {
    expect(await refusal(nativeFile(1, 1, 2_000_000, 8, Buffer.alloc(10)))).toBe('dicom/too-large')
    expect(await refusal(nativeFile(4, 4, 2, 8, Buffer.alloc(20)))).toBe('dicom/truncated')
  })

  it('refuses a file that ends inside its pixel data or its header, wherever it was cut', async () => {
    const file = nativeFile(4, 4, 2, 16, Buffer.alloc(64, 1))
    // Cut between two elements, nothing tells that more was to come: elements of group 0028 are 10 or 20 bytes long.
    const accepted: number[] = []
    for (let length = 145; length < file.length; length += 1) {
      const code = await refusal(file.subarray(0, length))
      if (code === 'accepted') accepted.push(length)
      else expect(['dicom/truncated', 'dicom/missing-attribute'], `cut at ${length}`).toContain(code)
    }
    const pixelElement = file.length - 64 - 12
    const gaps = [...accepted, pixelElement].slice(1).map((end, index) => end - (accepted[index] ?? 0))
    expect(accepted.length).toBe(9 + 1)
    expect(gaps.every((gap) => gap === 0 || gap === 10 || gap === 20)).toBe(true)
  })

  it('bounds the number of values', () => {
    const file = part10(EXPLICIT_LE, identity(EXPLICIT, el(0x00091001, 'UC', Buffer.alloc(17_000_000, 0x5c))))
    expect(() => readInstanceBytes(file)).toThrow(expect.objectContaining({ code: 'dicom/too-large' }))
  })

  it('lets a large multi-frame image through in bounded memory', async () => {
    const frameBytes = 1024 * 1024
    const count = 400
    const head = Buffer.concat([
      nativeFile(1024, 1024, count, 8, Buffer.alloc(0)).subarray(0, -4),
      u32(frameBytes * count),
    ])
    const chunk = Buffer.alloc(256 * 1024, 1)
    let seen = 0
    let peak = 0
    const { parts } = await readInstance(
      (async function* () {
        yield head
        for (let i = 0; i < count * 4; i += 1) yield await Promise.resolve(Buffer.from(chunk))
      })(),
    )
    const before = process.memoryUsage().arrayBuffers
    for await (const part of parts) {
      seen += part.bytes.length
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
    }
    expect(seen).toBe(head.length + frameBytes * count)
    expect(peak).toBeLessThan(150 * 1024 * 1024)
  })

  it('refuses a header beyond its limit while it streams', async () => {
    const head = part10(
      EXPLICIT_LE,
      Buffer.concat([start, el(0x00091001, 'OB', Buffer.alloc(0), EXPLICIT, 200_000_000)]),
    )
    let given = 0
    const endless = (async function* () {
      yield head
      for (;;) {
        given += 1_000_000
        yield await Promise.resolve(Buffer.alloc(1_000_000))
      }
    })()
    await expect(readInstance(endless)).rejects.toMatchObject({ code: 'dicom/too-large' })
    expect(given).toBeLessThan(70_000_000)
  })

  it('stops when asked to', async () => {
    const controller = new AbortController()
    const { parts } = await readInstance(chunked(nativeFile(10, 10, 10, 8, Buffer.alloc(1000)), 50), {
      signal: controller.signal,
    })
    controller.abort()
    await expect(
      (async () => {
        for await (const part of parts) void part
      })(),
    ).rejects.toMatchObject({ code: 'task/cancelled' })
  })
})
