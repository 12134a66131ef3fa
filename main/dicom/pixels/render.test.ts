import { describe, expect, it } from 'vitest'
import type { DicomJsonDataset, DicomJsonValue } from '#common/dicom/json.ts'
import type { DecodedFrame, PixelArray } from '../types.ts'
import { renderFrame, type RenderOptions } from './render.ts'
import { withTables } from './tables.ts'

const element = (...Value: DicomJsonValue[]): { vr: string; Value: DicomJsonValue[] } => ({ vr: 'UN', Value })

function frame(pixels: PixelArray, photometricInterpretation = 'MONOCHROME2'): DecodedFrame {
  return { rows: 1, columns: pixels.length, samplesPerPixel: 1, photometricInterpretation, pixels }
}

const shades = (
  pixels: PixelArray,
  dataset: DicomJsonDataset,
  options?: RenderOptions,
  photometric?: string,
): number[] => Array.from(renderFrame(frame(pixels, photometric), dataset, options).pixels)

describe('windows', () => {
  it('LINEAR is PS3.3 C.11.2.1.2 to the letter', () => {
    // c 2048, w 4096 is the standard's own example: 0 → 0, 4095 → 255; half a level off the centre is the middle.
    const window = { center: 2048, width: 4096 }
    expect(shades(Uint16Array.of(0, 2047, 2048, 4095), {}, { window })).toEqual([0, 127, 128, 255])
    // Width 1 is a threshold at c − 0.5.
    expect(shades(Uint16Array.of(99, 100, 101), {}, { window: { center: 100, width: 1 } })).toEqual([0, 255, 255])
  })

  it('LINEAR_EXACT and SIGMOID follow C.11.2.1.3', () => {
    const exact = { center: 50, width: 100, function: 'LINEAR_EXACT' } as const
    expect(shades(Int16Array.of(-1, 0, 25, 50, 100), {}, { window: exact })).toEqual([0, 0, 64, 128, 255])
    const sigmoid = { center: 0, width: 4, function: 'SIGMOID' } as const
    // 255 / (1 + e^1) = 68.6, 255 / 2, 255 / (1 + e^−1) = 186.4
    expect(shades(Int8Array.of(-1, 0, 1), {}, { window: sigmoid })).toEqual([69, 128, 186])
  })

  it('works on rescaled values, signed and unsigned alike', () => {
    const dataset = {
      '00281052': element(-1024),
      '00281053': element(2),
      '00281050': element(0),
      '00281051': element(101),
    }
    // Real −1024 + 2·x: 487 → −50, 512 → 0, 537 → 50
    expect(shades(Uint16Array.of(487, 512, 537), dataset)).toEqual([1, 129, 255])
  })

  it('an explicit window wins over the header’s, and an impossible one is passed over', () => {
    const dataset = { '00281050': element(10, 5), '00281051': element(0, 11) }
    expect(shades(Uint8Array.of(0, 10), dataset)).toEqual([13, 255])
    expect(shades(Uint8Array.of(0, 10), dataset, { window: { center: 100, width: 11 } })).toEqual([0, 0])
  })

  it('without a window it spans minimum to maximum, padding aside', () => {
    expect(shades(Int16Array.of(-100, 0, 100), {})).toEqual([0, 128, 255])
    expect(shades(Float32Array.of(0, Number.NaN, 0.5, 1), {})).toEqual([0, 0, 128, 255])
    // Padding −2000, written as unsigned 63536.
    const padded = { '00280101': element(16), '00280120': element(63536) }
    expect(shades(Int16Array.of(-2000, 0, 100), padded)).toEqual([0, 0, 255])
    expect(shades(Uint8Array.of(7, 7), {})).toHaveLength(2)
  })
})

describe('shapes, tables and colours', () => {
  it('MONOCHROME1 and INVERSE invert once, and once more on request', () => {
    const pixels = Uint8Array.of(0, 255)
    const shape = { '20500020': element('INVERSE') }
    expect(shades(pixels, {}, {}, 'MONOCHROME1')).toEqual([255, 0])
    expect(shades(pixels, shape, {}, 'MONOCHROME1')).toEqual([255, 0])
    expect(shades(pixels, shape)).toEqual([255, 0])
    expect(shades(pixels, shape, { invert: true })).toEqual([0, 255])
  })

  it('looks up modality and VOI tables', () => {
    const modality = { '00283002': element(3, 10, 16), '00283006': element(0, 500, 1000) }
    const voi = { '00283002': element(2, 500, 8), '00283006': element(64, 192) }
    const dataset = { '00283000': element(modality), '00283010': element(voi) }
    // Stored 9, 10 → 0; 11 → 500; 12, 13 → 1000. VOI: up to 500 → 64, from 501 → 192.
    expect(shades(Uint8Array.of(9, 10, 11, 12, 13), dataset)).toEqual([64, 64, 64, 192, 192])
  })

  it('expands segmented palettes: discrete, linear, indirect', () => {
    // Entries: 0, 256·10; then 4 steps up to 256·50; then the same steps again from there: none, the end is reached.
    const words = [0, 2, 0, 2560, 1, 4, 12800, 2, 1, 4, 0]
    const InlineBinary = Buffer.from(Uint16Array.from(words).buffer).toString('base64')
    const segmented = { vr: 'OW', InlineBinary }
    const descriptor = element(10, 0, 16)
    const dataset = {
      '00281101': descriptor,
      '00281102': descriptor,
      '00281103': descriptor,
      '00281221': segmented,
      '00281222': segmented,
      '00281223': segmented,
    }
    const { pixels } = renderFrame(frame(Uint8Array.of(0, 1, 2, 3, 4, 5, 9, 40), 'PALETTE COLOR'), dataset)
    expect(Array.from(pixels).filter((_, at) => at % 3 === 0)).toEqual([0, 10, 20, 30, 40, 50, 50, 50])
    expect(() => renderFrame(frame(Uint8Array.of(0), 'PALETTE COLOR'), {})).toThrow('palette')
  })

  it('brings 16-bit colour down to 8', () => {
    const decoded = { ...frame(Uint16Array.of(0, 32768, 65535), 'RGB'), columns: 1, samplesPerPixel: 3 }
    expect(renderFrame(decoded, { '00280101': element(16) })).toMatchObject({
      channels: 3,
      pixels: Uint8Array.of(0, 128, 255),
    })
  })

  it('fetches tables kept outside the header', async () => {
    const dataset = {
      '00281201': { vr: 'OW', BulkDataURI: 'bulk:100:4' },
      '00283010': element({ '00283006': { vr: 'OW', BulkDataURI: 'bulk:200:4' } }),
    }
    const asked: number[] = []
    const filled = await withTables(dataset, (offset) => {
      asked.push(offset)
      return Promise.resolve(Uint8Array.of(1, 2, 3, 4))
    })
    expect(asked).toEqual([100, 200])
    expect(filled['00281201']).toEqual({ vr: 'OW', InlineBinary: 'AQIDBA==' })
    expect(filled['00283010']!.Value).toEqual([{ '00283006': { vr: 'OW', InlineBinary: 'AQIDBA==' } }])
    const plain = { '00280010': element(1) }
    expect(await withTables(plain, () => Promise.reject(new Error('not needed')))).toBe(plain)
  })
})
