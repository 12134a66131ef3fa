import { describe, expect, it } from 'vitest'
import { decodeMasks, encodeMaskHead, maskBytes, packMask, unpackMask } from './masks.ts'
import type { MaskHead } from './segmentations.ts'

/** Every runtime has these two; `common` is checked without any runtime's types. */
const runtime = globalThis as unknown as {
  TextEncoder: new () => { encode: (text: string) => Uint8Array }
  TextDecoder: new () => { decode: (bytes: Uint8Array) => string }
}
const utf8 = (text: string): Uint8Array => new runtime.TextEncoder().encode(text)
const text = (bytes: Uint8Array): string => new runtime.TextDecoder().decode(bytes)
const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))

const HEAD: MaskHead = {
  rows: 3,
  columns: 5,
  segments: [{ number: 1, label: 'Läsion', colorRgb: [255, 0, 0], algorithm: null }],
  frames: [
    { segment: 1, sopInstanceUID: '1.2', frame: null, positionLps: [0, 0, 0] },
    { segment: 1, sopInstanceUID: '1.3', frame: 2, positionLps: null },
  ],
}

describe('mask document', () => {
  it('packs least significant bit first', () => {
    // Pixels 0, 3 and 9 set: byte 0 = 0b00001001, byte 1 = 0b00000010.
    const mask = new Uint8Array(15)
    mask[0] = mask[3] = mask[9] = 255
    expect([...packMask(mask)]).toEqual([9, 2])
    expect(maskBytes(HEAD)).toBe(2)
    expect([...unpackMask(Uint8Array.of(9, 2), 15)].flatMap((value, at) => (value === 1 ? [at] : []))).toEqual([
      0, 3, 9,
    ])
  })

  it('comes back as it went', () => {
    const bytes = joined(encodeMaskHead(HEAD, utf8), Uint8Array.of(9, 2), Uint8Array.of(255, 127))
    const { head, masks } = decodeMasks(bytes, text)
    expect(head).toEqual(HEAD)
    expect(masks.map((mask) => [...mask])).toEqual([
      [9, 2],
      [255, 127],
    ])
  })

  it('notices when it is cut', () => {
    const bytes = joined(encodeMaskHead(HEAD, utf8), Uint8Array.of(9, 2), Uint8Array.of(255, 127))
    for (const length of [0, 3, 10, bytes.length - 1]) {
      expect(() => decodeMasks(bytes.subarray(0, length), text)).toThrow(/cut short/)
    }
  })
})
