import { describe, expect, it } from 'vitest'
import { isAlcoveError } from '#common/errors.ts'
import { readInstance, readInstanceBytes } from './index.ts'
import {
  compressedFile,
  el,
  EXPLICIT,
  identity,
  image,
  IMPLICIT,
  item,
  ITEM,
  part10,
  SEQUENCE_END,
  u16,
  UNDEFINED,
} from './testing/elements.ts'

const sequence = Buffer.concat([
  el(0x00081140, 'SQ', Buffer.alloc(0), EXPLICIT, UNDEFINED),
  item(
    ITEM,
    Buffer.concat([el(0x00100020, 'LO', 'inside'), el(0x00081140, 'SQ', item(ITEM, el(0x00100020, 'LO', 'deeper')))]),
  ),
  item(SEQUENCE_END, Buffer.alloc(0)),
])

const FILES: Buffer[] = [
  part10(
    '1.2.840.10008.1.2.1',
    Buffer.concat([identity(EXPLICIT, sequence), image(2, 2, 2, 16), el(0x7fe00010, 'OW', Buffer.alloc(16))]),
  ),
  part10(
    '1.2.840.10008.1.2',
    Buffer.concat([identity(IMPLICIT), image(2, 2, 1, 8, IMPLICIT), el(0x7fe00010, 'OW', Buffer.alloc(4), IMPLICIT)]),
  ),
  compressedFile('1.2.840.10008.1.2.4.50', 2, Buffer.alloc(0), [
    Buffer.from('ffd8ffe00102', 'hex'),
    u16(1),
    Buffer.from('ffd8ffe00304', 'hex'),
  ]),
]

/** "ok", or the code of the refusal. @throws whatever is no AlcoveError */
async function outcome(work: () => Promise<Uint8Array[]> | Uint8Array[], bytes: Buffer): Promise<string> {
  try {
    expect(Buffer.concat(await work()).equals(bytes)).toBe(true)
    return 'ok'
  } catch (error) {
    if (isAlcoveError(error)) return error.code
    throw error
  }
}

describe('damaged files', () => {
  it('are read without losing a byte or refused with a code, never anything else', async () => {
    let state = 7
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 4294967296) * below)
    }
    const seen = new Set<string>()
    for (let round = 0; round < 3000; round += 1) {
      const bytes = Buffer.from(FILES[round % FILES.length] ?? Buffer.alloc(0))
      for (let change = random(4); change >= 0; change -= 1)
        bytes[132 + random(bytes.length - 132)] = [0, 0xff, 0xfe, 0xe0, random(256)][random(5)] ?? 0
      const file = random(5) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes
      const whole = await outcome(() => readInstanceBytes(file).parts.map((part) => part.bytes), file)
      const streamed = await outcome(async () => {
        const parts: Uint8Array[] = []
        const { parts: stream } = await readInstance(
          (async function* () {
            for (let at = 0; at < file.length; at += 61) yield await Promise.resolve(file.subarray(at, at + 61))
          })(),
        )
        for await (const part of stream) parts.push(part.bytes)
        return parts
      }, file)
      // A stream cannot count fragments ahead.
      if (streamed !== whole) expect(`${whole} ${streamed}`).toBe('ok dicom/truncated')
      seen.add(whole)
    }
    for (const code of ['ok', 'dicom/truncated', 'dicom/corrupt', 'dicom/missing-attribute'])
      expect(seen).toContain(code)
  })
})
