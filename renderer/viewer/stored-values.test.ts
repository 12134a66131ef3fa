import { describe, expect, it } from 'vitest'
import { framesOfSeries, type FrameInfo } from './frames-of-series.ts'
import { calibrate, voxelTypeFor } from './stored-values.ts'

function frame(change: Partial<FrameInfo>): FrameInfo {
  const [made] = framesOfSeries(
    [
      {
        '00080018': { vr: 'UI', Value: ['1.2.3'] },
        '00280010': { vr: 'US', Value: [1] },
        '00280011': { vr: 'US', Value: [4] },
        '00280100': { vr: 'US', Value: [16] },
        '00280101': { vr: 'US', Value: [12] },
        '00280102': { vr: 'US', Value: [11] },
        '00280103': { vr: 'US', Value: [0] },
      },
    ],
    null,
  ).frames
  return { ...made!, ...change }
}

describe('calibrate', () => {
  it('removes bits above Bits Stored and rescales', () => {
    // 0xF000 is garbage above the twelve stored bits; 0x0400 = 1024.
    const stored = Uint8Array.of(0x00, 0xf4, 0x00, 0x00, 0xff, 0x0f, 0x01, 0x00)
    const target = new Int16Array(4)
    const range = calibrate(stored, frame({ slope: 1, intercept: -1024 }), target, false)
    expect([...target]).toEqual([0, -1024, 3071, -1023])
    expect(range).toEqual({ min: -1024, max: 3071 })
  })

  it('extends the sign of twelve-bit signed values', () => {
    // 0xFFF = −1, 0x800 = −2048, 0x7FF = 2047.
    const stored = Uint8Array.of(0xff, 0x0f, 0x00, 0x08, 0xff, 0x07, 0x00, 0x00)
    const target = new Int16Array(4)
    calibrate(stored, frame({ signed: true }), target, false)
    expect([...target]).toEqual([-1, -2048, 2047, 0])
  })

  it('keeps fractions of PET', () => {
    const stored = Uint8Array.of(10, 0, 20, 0, 30, 0, 40, 0)
    const target = new Float32Array(4)
    calibrate(stored, frame({ slope: 0.125, intercept: 0 }), target, false)
    expect([...target]).toEqual([1.25, 2.5, 3.75, 5])
  })

  it('reads an odd byte offset', () => {
    const stored = Uint8Array.of(99, 1, 0, 2, 0, 3, 0, 4, 0).subarray(1)
    const target = new Int16Array(4)
    calibrate(stored, frame({}), target, false)
    expect([...target]).toEqual([1, 2, 3, 4])
  })

  it('refuses a frame that is cut short', () => {
    expect(() => calibrate(new Uint8Array(6).fill(1), frame({}), new Int16Array(4), true)).not.toThrow()
    expect(() => calibrate(new Uint8Array(2), frame({}), new Int16Array(4), true)).toThrow(RangeError)
  })
})

describe('voxelTypeFor', () => {
  it('takes the smallest type that holds every value exactly', () => {
    expect(voxelTypeFor([frame({ slope: 1, intercept: -1024 })])).toBe('Int16Array')
    expect(voxelTypeFor([frame({ bitsStored: 8, bitsAllocated: 8 })])).toBe('Uint8Array')
    expect(voxelTypeFor([frame({ bitsStored: 16 })])).toBe('Uint16Array')
    expect(voxelTypeFor([frame({ bitsStored: 16, intercept: -1024 })])).toBe('Float32Array')
    expect(voxelTypeFor([frame({ slope: 0.5 })])).toBe('Float32Array')
  })
})
