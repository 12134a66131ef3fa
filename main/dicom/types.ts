import type { DicomJsonDataset } from '#common/dicom/json.ts'
import type { SeriesInstanceUID, SOPInstanceUID, StudyInstanceUID } from '#common/ids.ts'

/** What the store needs to know of an instance before its pixels are read. */
export interface InstanceHead {
  studyInstanceUID: StudyInstanceUID
  seriesInstanceUID: SeriesInstanceUID
  sopInstanceUID: SOPInstanceUID
  sopClassUID: string
  transferSyntaxUID: string
  /** Number of frames with pixels; 0 for objects without pixel data. */
  frames: number
  /**
   * Only set for native 1-bit pixel data (binary SEG) whose frames do not begin at byte borders: bits of one frame.
   * `frame: 1` parts then hold the pixel data of all frames; `unpackFrame` (main/dicom/read) cuts frame n out.
   */
  packedBits?: number
  /**
   * The whole data set before and after the pixel data, text decoded to Unicode, as DICOM JSON (PS3.18 annex F),
   * file meta information left out. Binary values over 1 KiB are left out of `Value`/`InlineBinary`
   * and stand as `BulkDataURI` "bulk:<byte offset>:<byte length>" into the instance's (inflated) bytes.
   */
  dataset: DicomJsonDataset
}

/**
 * A run of the file's bytes. Concatenated in order, the parts are the file byte for byte. `frame` parts hold pixel
 * bytes of the 1-based frame (several parts of one frame: fragments, or slices of a very large one) without item
 * headers; item headers and offset tables are `glue`. A deflated file is one or more `whole` parts.
 */
export interface InstancePart {
  kind: 'header' | 'frame' | 'glue' | 'trailer' | 'whole'
  frame: number | null
  bytes: Uint8Array
}

/** How a frame's bytes are to be read: PS3.3 C.7.6.3, from the data set. */
export interface PixelFormat {
  rows: number
  columns: number
  samplesPerPixel: number
  bitsAllocated: 1 | 8 | 16 | 32 | 64
  bitsStored: number
  highBit: number
  /** Pixel Representation 1. */
  signed: boolean
  /** Float Pixel Data or Double Float Pixel Data. */
  float: boolean
  planarConfiguration: 0 | 1
  photometricInterpretation: string
  transferSyntaxUID: string
}

export type PixelArray =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array

/**
 * A decoded frame, rows × columns × samples, row-major, samples interleaved (R, G, B), bits above Bits Stored removed
 * and signed values sign-extended. YBR is converted to RGB only when `photometricInterpretation` here says RGB.
 */
export interface DecodedFrame {
  rows: number
  columns: number
  samplesPerPixel: number
  photometricInterpretation: string
  pixels: PixelArray
}
