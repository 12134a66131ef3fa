import { AlcoveError } from '#common/errors.ts'
import { type DicomJsonDataset, number, text } from '#common/dicom/json.ts'
import { LIMITS } from '#common/limits.ts'
import type { PixelFormat } from '../types.ts'
import { undecodable } from './undecodable.ts'

const FLOAT_PIXEL_DATA = '7FE00008'
const DOUBLE_FLOAT_PIXEL_DATA = '7FE00009'

function required(dataset: DicomJsonDataset, tag: string, name: string): number {
  const value = number(dataset, tag)
  if (value === null || !Number.isInteger(value) || value < 1)
    throw new AlcoveError('dicom/missing-attribute', `The image cannot be read: its header gives no valid ${name}.`)
  return value
}

/**
 * The image pixel module of a data set (PS3.3 C.7.6.3). Attributes that are absent take the value that follows from the
 * others; contradictory ones are refused.
 * @throws AlcoveError dicom/missing-attribute (Rows, Columns, Bits Allocated), dicom/undecodable-pixels, dicom/too-large
 */
export function pixelFormat(dataset: DicomJsonDataset, transferSyntaxUID: string): PixelFormat {
  const rows = required(dataset, '00280010', 'Rows')
  const columns = required(dataset, '00280011', 'Columns')
  const bitsAllocated = required(dataset, '00280100', 'Bits Allocated')
  const samplesPerPixel = number(dataset, '00280002') ?? 1
  if (!isAllocation(bitsAllocated)) throw undecodable(`${bitsAllocated} bits allocated are not supported.`)
  if (![1, 3].includes(samplesPerPixel)) throw undecodable(`${samplesPerPixel} samples a pixel are not supported.`)
  if ((rows * columns * samplesPerPixel * bitsAllocated) / 8 > LIMITS.dicomFrameBytes)
    throw new AlcoveError('dicom/too-large', 'The image is larger than Alcove opens.')

  const float = isFloat(dataset, bitsAllocated)
  const bitsStored = float ? bitsAllocated : (number(dataset, '00280101') ?? bitsAllocated)
  if (!Number.isInteger(bitsStored) || bitsStored < 1 || bitsStored > bitsAllocated)
    throw undecodable(`Bits Stored (${bitsStored}) does not fit Bits Allocated (${bitsAllocated}).`)
  const highBit = number(dataset, '00280102') ?? bitsStored - 1
  return {
    rows,
    columns,
    samplesPerPixel,
    bitsAllocated,
    bitsStored,
    // A High Bit that leaves no room for the stored bits is a known slip; the usual place is meant.
    highBit: highBit >= bitsStored - 1 && highBit < bitsAllocated ? highBit : bitsStored - 1,
    signed: !float && number(dataset, '00280103') === 1,
    float,
    planarConfiguration: number(dataset, '00280006') === 1 ? 1 : 0,
    photometricInterpretation: text(dataset, '00280004') ?? (samplesPerPixel === 3 ? 'RGB' : 'MONOCHROME2'),
    transferSyntaxUID,
  }
}

function isAllocation(bits: number): bits is PixelFormat['bitsAllocated'] {
  return bits === 1 || bits === 8 || bits === 16 || bits === 32 || bits === 64
}

/** Float Pixel Data has neither Bits Stored nor Pixel Representation (PS3.3 C.7.6.24). */
function isFloat(dataset: DicomJsonDataset, bitsAllocated: number): boolean {
  if (dataset[FLOAT_PIXEL_DATA] !== undefined || dataset[DOUBLE_FLOAT_PIXEL_DATA] !== undefined) return true
  return bitsAllocated >= 32 && dataset['00280101'] === undefined && dataset['00280103'] === undefined
}
