import { readFile } from 'node:fs/promises'
import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { readInstanceBytes } from '../read/instance.ts'
import type { PixelFormat } from '../types.ts'
import { decodeFrame } from './decode-frame.ts'
import { frameBytes } from './decode-file.ts'
import { pixelFormat } from './pixel-format.ts'

const LITTLE = '1.2.840.10008.1.2.1'
const BIG = '1.2.840.10008.1.2.2'
const RLE = '1.2.840.10008.1.2.5'
const DEFLATED_FRAME = '1.2.840.10008.1.2.8.1'

function format(changes: Partial<PixelFormat>): PixelFormat {
  return {
    rows: 1,
    columns: 4,
    samplesPerPixel: 1,
    bitsAllocated: 16,
    bitsStored: 16,
    highBit: 15,
    signed: false,
    float: false,
    planarConfiguration: 0,
    photometricInterpretation: 'MONOCHROME2',
    transferSyntaxUID: LITTLE,
    ...changes,
  }
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const decoded = async (data: Uint8Array, changes: Partial<PixelFormat>): Promise<number[]> =>
  Array.from((await decodeFrame(data, format(changes))).pixels)

describe('native pixels', () => {
  it('drops what lies above the stored bits and extends the sign', async () => {
    // 12 stored bits: 0xF7FF, 0x5800, 0x0FFF, 0xA001 with garbage in the top four.
    const data = bytes(0xff, 0xf7, 0x00, 0x58, 0xff, 0x0f, 0x01, 0xa0)
    expect(await decoded(data, { bitsStored: 12, highBit: 11 })).toEqual([0x7ff, 0x800, 0xfff, 1])
    expect(await decoded(data, { bitsStored: 12, highBit: 11, signed: true })).toEqual([2047, -2048, -1, 1])
  })

  it('moves stored bits down from the high bit', async () => {
    const data = bytes(0xf0, 0x7f, 0x00, 0x80, 0xf0, 0xff, 0x1f, 0x00)
    expect(await decoded(data, { bitsStored: 12, highBit: 15 })).toEqual([0x7ff, 0x800, 0xfff, 1])
    expect(await decoded(data, { bitsStored: 12, highBit: 15, signed: true })).toEqual([2047, -2048, -1, 1])
  })

  it('reads big-endian, 32-bit and float samples, and never a view of the input', async () => {
    expect(await decoded(bytes(1, 2, 0xff, 0xfe, 0, 0, 0x80, 0), { transferSyntaxUID: BIG, signed: true })).toEqual([
      258, -2, 0, -32768,
    ])
    expect(
      await decoded(bytes(0xff, 0xff, 0xff, 0xff), { columns: 1, bitsAllocated: 32, bitsStored: 32, highBit: 31 }),
    ).toEqual([4294967295])
    const wide = { columns: 1, float: true, transferSyntaxUID: BIG } as const
    expect(await decoded(bytes(0x3f, 0xc0, 0, 0), { ...wide, bitsAllocated: 32 })).toEqual([1.5])
    expect(await decoded(bytes(0xc0, 4, 0, 0, 0, 0, 0, 0), { ...wide, bitsAllocated: 64 })).toEqual([-2.5])
    const input = Buffer.from([1, 0, 2, 0, 3, 0, 4, 0])
    const { pixels } = await decodeFrame(input, format({}))
    input.fill(0)
    expect(Array.from(pixels)).toEqual([1, 2, 3, 4])
  })

  it('unpacks one bit a pixel, lowest first', async () => {
    const one = { columns: 10, bitsAllocated: 1, bitsStored: 1, highBit: 0 } as const
    expect(await decoded(bytes(0b10000101, 0b10), one)).toEqual([1, 0, 1, 0, 0, 0, 0, 1, 0, 1])
  })

  it('joins colour planes and turns YBR into RGB', async () => {
    const colour = { columns: 2, samplesPerPixel: 3, bitsAllocated: 8, bitsStored: 8, highBit: 7 } as const
    expect(
      await decoded(bytes(1, 2, 3, 4, 5, 6), { ...colour, planarConfiguration: 1, photometricInterpretation: 'RGB' }),
    ).toEqual([1, 3, 5, 2, 4, 6])
    // Pure red of JPEG's matrix: Y 76, Cb 85, Cr 255 → 254, 0, 0 (T.871 section 7).
    const red = { ...colour, photometricInterpretation: 'YBR_FULL_422' }
    expect(await decoded(bytes(76, 29, 85, 255), red)).toEqual([254, 0, 0, 207, 0, 0])
    expect(
      await decoded(bytes(76, 85, 255, 29, 85, 255), { ...colour, photometricInterpretation: 'YBR_FULL' }),
    ).toEqual([254, 0, 0, 207, 0, 0])
    await expect(decoded(bytes(1, 2, 3, 4, 5, 6), { ...colour, photometricInterpretation: 'HSV' })).rejects.toThrow(
      'HSV',
    )
  })

  it('refuses a frame that is too short', async () => {
    await expect(decoded(bytes(1, 2, 3, 4, 5, 6, 7), {})).rejects.toMatchObject({ code: 'dicom/undecodable-pixels' })
  })
})

describe('RLE and deflated frames', () => {
  it('unpacks runs and literals of both byte planes (PS3.5 annex G)', async () => {
    const data = new Uint8Array(64 + 2 + 6)
    const view = new DataView(data.buffer)
    view.setUint32(0, 2, true)
    view.setUint32(4, 64, true)
    view.setUint32(8, 66, true)
    // High bytes: four times 1. Low bytes: two literals 5, 6, a no-operation, twice 7.
    data.set([253, 1, 1, 5, 6, 128, 255, 7], 64)
    expect(await decoded(data, { transferSyntaxUID: RLE })).toEqual([261, 262, 263, 263])
    await expect(decoded(data.subarray(0, 71), { transferSyntaxUID: RLE })).rejects.toThrow('ends early')
    view.setUint32(8, 4000, true)
    await expect(decoded(data, { transferSyntaxUID: RLE })).rejects.toThrow('outside of itself')
  })

  it('inflates no more than the frame needs', async () => {
    const syntax = { transferSyntaxUID: DEFLATED_FRAME }
    expect(await decoded(deflateRawSync(bytes(1, 0, 2, 0, 3, 0, 4, 0)), syntax)).toEqual([1, 2, 3, 4])
    await expect(decoded(deflateRawSync(new Uint8Array(1e6)), syntax)).rejects.toMatchObject({
      code: 'dicom/undecodable-pixels',
    })
    await expect(decoded(deflateRawSync(bytes(1, 0)), syntax)).rejects.toMatchObject({
      code: 'dicom/undecodable-pixels',
    })
  })
})

describe('pixel format', () => {
  const dataset = {
    '00280010': { vr: 'US', Value: [3] },
    '00280011': { vr: 'US', Value: [2] },
    '00280100': { vr: 'US', Value: [16] },
  }

  it('derives what is absent and corrects an impossible high bit', () => {
    expect(pixelFormat(dataset, LITTLE)).toMatchObject({ bitsStored: 16, highBit: 15, samplesPerPixel: 1 })
    const odd = { ...dataset, '00280101': { vr: 'US', Value: [12] }, '00280102': { vr: 'US', Value: [7] } }
    expect(pixelFormat(odd, LITTLE).highBit).toBe(11)
  })

  it('refuses absurd and missing attributes', () => {
    expect(() => pixelFormat({}, LITTLE)).toThrow('Rows')
    const huge = { ...dataset, '00280010': { vr: 'US', Value: [65535] }, '00280011': { vr: 'US', Value: [65535] } }
    expect(() => pixelFormat(huge, LITTLE)).toThrow('larger')
    expect(() => pixelFormat({ ...dataset, '00280101': { vr: 'US', Value: [17] } }, LITTLE)).toThrow('Bits Stored')
  })
})

describe.skipIf(sharedData === null)('compressed frames that are not what they say', () => {
  const folder = 'cornerstone3D/CTImage.dcm_'
  const files = {
    'JPEG baseline': `${folder}JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50.dcm`,
    'JPEG extended, 12 bits': `${folder}JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm`,
    'JPEG spectral selection': `${folder}JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm`,
    'JPEG full progression': `${folder}JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm`,
    'JPEG lossless': `${folder}JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70.dcm`,
    'JPEG-LS': `${folder}JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80.dcm`,
    'JPEG 2000': `${folder}JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91.dcm`,
    'JPEG XL': 'orthanc-jxl/test_ct1_jxl.dcm',
    RLE: `${folder}RLELosslessTransferSyntax_1.2.840.10008.1.2.5.dcm`,
  }

  const open = async (path: string): Promise<{ frame: Uint8Array; own: PixelFormat }> => {
    const { head, parts } = readInstanceBytes(await readFile(sharedPath('dicom', path)))
    return { frame: frameBytes(head, parts, 1), own: pixelFormat(head.dataset, head.transferSyntaxUID) }
  }

  it.each(Object.entries(files))('%s: cut off anywhere, it is refused', async (_name, path) => {
    const { frame, own } = await open(path)
    for (const part of [0, 0.01, 0.3, 0.6, 0.9, 0.99])
      await expect(decodeFrame(frame.slice(0, Math.floor(frame.length * part)), own)).rejects.toMatchObject({
        code: 'dicom/undecodable-pixels',
      })
  })

  it.each(Object.entries(files))('%s: another size than the header says is refused', async (_name, path) => {
    const { frame, own } = await open(path)
    await expect(decodeFrame(frame, { ...own, rows: own.rows + 1 })).rejects.toMatchObject({
      code: 'dicom/undecodable-pixels',
    })
    await expect(decodeFrame(frame, { ...own, samplesPerPixel: 3 })).rejects.toMatchObject({
      code: 'dicom/undecodable-pixels',
    })
  })

  it('twelve coded bits do not go into eight', async () => {
    const { frame, own } = await open(files['JPEG extended, 12 bits'])
    await expect(decodeFrame(frame, { ...own, bitsAllocated: 8, bitsStored: 8, highBit: 7 })).rejects.toThrow('12 bits')
  })
})
