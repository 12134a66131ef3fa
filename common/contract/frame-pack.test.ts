import { describe, expect, it } from 'vitest'
import { decodeFramePack, framePackBytes, framePackChunks, type PackedFrame } from './frame-pack.ts'

function encodeFramePack(frames: PackedFrame[]): Uint8Array {
  return Uint8Array.from([...framePackChunks(frames)].flatMap((chunk) => [...chunk]))
}

describe('a pack of frames', () => {
  it('is laid out as its comment says', () => {
    const pack = encodeFramePack([{ bytes: Uint8Array.of(7, 8, 9), transferSyntaxUID: '1.2' }])
    // Length 3; three letters: "1.2"; the bytes.
    expect([...pack]).toEqual([3, 0, 0, 0, 3, 0x31, 0x2e, 0x32, 7, 8, 9])
  })

  it('gives back what went in, empty frames too', () => {
    const frames = [
      { bytes: Uint8Array.of(1, 2), transferSyntaxUID: '1.2.840.10008.1.2.1' },
      { bytes: new Uint8Array(0), transferSyntaxUID: '1.2.840.10008.1.2.5' },
      { bytes: new Uint8Array(300).fill(5), transferSyntaxUID: '1.2' },
    ]
    expect(decodeFramePack(encodeFramePack(frames))).toEqual(frames)
    expect(framePackBytes(frames)).toBe(encodeFramePack(frames).length)
    expect(decodeFramePack(new Uint8Array(0))).toEqual([])
  })

  it('cut anywhere inside a frame is refused, never read beyond', () => {
    const pack = encodeFramePack([{ bytes: Uint8Array.of(1, 2, 3), transferSyntaxUID: '1.2' }])
    for (let length = 1; length < pack.length; length++)
      expect(() => decodeFramePack(pack.subarray(0, length))).toThrow(/cut short/)
  })
})
