import { SEGMENTATION_CLASSES } from '#common/dicom/sop-class.ts'
import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import { items, number, numbers, text, type DicomJsonDataset } from '#common/dicom/json.ts'
import { alongNormal, planeOf, sameGrid, type FrameGroups, type FramePlane } from '../write/plane.ts'

type SegmentationKind = 'binary' | 'fractional' | 'labelmap'

export interface Segment {
  number: number
  label: string
  /** MANUAL, SEMIAUTOMATIC or AUTOMATIC; null when not said. */
  algorithmType: string | null
  algorithmName: string | null
  /** [code value, coding scheme, meaning] of Segmented Property Type; null when not coded. */
  type: [string, string, string] | null
  /** 0–255 each, from the recommended CIELab; null when not given. */
  colorRgb: [number, number, number] | null
}

export interface SegmentationFrame {
  /** 1-based. */
  frame: number
  /** null in a label map, whose frames hold the numbers of all segments. */
  segment: number | null
  /** null when the frame has no plane in the patient (a radiograph, a slide). */
  plane: FramePlane | null
  source: { sopInstanceUID: string; frame: number | null } | null
}

export interface Segmentation {
  sopInstanceUID: string
  seriesInstanceUID: string
  frameOfReferenceUID: string | null
  kind: SegmentationKind
  rows: number
  columns: number
  /** Stored value that means probability or occupancy 1; 1 for binary. */
  fullValue: number
  bitsAllocated: number
  segments: Segment[]
  frames: SegmentationFrame[]
}

/**
 * What a Segmentation object (PS3.3 A.51) says, pixels aside: its segments and where each frame lies.
 * @throws AlcoveError request/invalid when it is no segmentation, dicom/missing-attribute
 */
export function readSegmentation(dataset: DicomJsonDataset): Segmentation {
  const sopClass = text(dataset, '00080016')
  if (sopClass === null || !SEGMENTATION_CLASSES.has(sopClass))
    throw new AlcoveError('request/invalid', 'This object is no DICOM segmentation.')
  const rows = needed(number(dataset, '00280010'), 'Rows')
  const columns = needed(number(dataset, '00280011'), 'Columns')
  const kind = kindOf(text(dataset, '00620001'))
  const frames = number(dataset, '00280008') ?? 1
  if (frames > LIMITS.dicomFramesPerInstance || rows * columns > LIMITS.dicomFrameBytes)
    throw new AlcoveError('dicom/too-large', 'The segmentation declares more pixels than can be read.')
  const perFrame = items(dataset, '52009230')
  const shared = items(dataset, '52009229')[0]
  return {
    sopInstanceUID: needed(text(dataset, '00080018'), 'SOP Instance UID'),
    seriesInstanceUID: needed(text(dataset, '0020000E'), 'Series Instance UID'),
    frameOfReferenceUID: text(dataset, '00200052'),
    kind,
    rows,
    columns,
    fullValue: kind === 'fractional' ? (number(dataset, '0062000E') ?? 255) : 1,
    bitsAllocated: number(dataset, '00280100') ?? 1,
    segments: items(dataset, '00620002').map(segmentOf),
    frames: Array.from({ length: frames }, (_, index) =>
      frameOf(dataset, index + 1, kind, { own: perFrame[index], shared }),
    ),
  }
}

function needed<Value>(value: Value | null, name: string): Value {
  if (value === null) throw new AlcoveError('dicom/missing-attribute', `${name} is missing in the segmentation.`)
  return value
}

function kindOf(type: string | null): SegmentationKind {
  if (type === 'FRACTIONAL') return 'fractional'
  return type === 'LABELMAP' ? 'labelmap' : 'binary'
}

function segmentOf(item: DicomJsonDataset): Segment {
  const type = items(item, '0062000F')[0]
  const value = type === undefined ? null : text(type, '00080100')
  const lab = numbers(item, '0062000D')
  return {
    number: number(item, '00620004') ?? 0,
    label: text(item, '00620005') ?? 'Segment',
    algorithmType: text(item, '00620008'),
    algorithmName: text(item, '00620009'),
    type:
      type === undefined || value === null ? null : [value, text(type, '00080102') ?? '', text(type, '00080104') ?? ''],
    colorRgb: lab === null || lab.length !== 3 ? null : rgbOfCieLab(lab),
  }
}

function frameOf(
  dataset: DicomJsonDataset,
  frame: number,
  kind: SegmentationKind,
  groups: FrameGroups,
): SegmentationFrame {
  const macro = (tag: string): DicomJsonDataset =>
    items(groups.own ?? {}, tag)[0] ?? items(groups.shared ?? {}, tag)[0] ?? {}
  const source = items(macro('00089124'), '00082112')[0]
  const sopInstanceUID = source === undefined ? null : text(source, '00081155')
  return {
    frame,
    segment: kind === 'labelmap' ? null : needed(number(macro('0062000A'), '0062000B'), 'Referenced Segment Number'),
    plane: planeOf(dataset, groups),
    source:
      source === undefined || sopInstanceUID === null ? null : { sopInstanceUID, frame: number(source, '00081160') },
  }
}

/**
 * Where one segment is in one frame: 1 per pixel of it, else 0, rows × columns. `bytes` is the frame as stored
 * natively (bits beginning at bit 0 of byte 0, or 8 or 16 bits a pixel, little endian) or decoded to one byte a pixel.
 * Fractional values count from one half on.
 * @throws AlcoveError dicom/truncated
 */
export function segmentMask(
  segmentation: Segmentation,
  frame: SegmentationFrame,
  bytes: Uint8Array,
  segment: number,
): Uint8Array {
  const pixels = segmentation.rows * segmentation.columns
  const mask = new Uint8Array(pixels)
  if (frame.segment !== null && frame.segment !== segment) return mask
  const packed = segmentation.bitsAllocated === 1 && bytes.length < pixels
  const width = packed ? 1 / 8 : bytes.length >= pixels * 2 && segmentation.bitsAllocated === 16 ? 2 : 1
  if (bytes.length < Math.ceil(pixels * width))
    throw new AlcoveError('dicom/truncated', `Frame ${frame.frame} of the segmentation is too short.`)
  const wanted = segmentation.kind === 'labelmap' ? segment : null
  const half = segmentation.fullValue / 2
  for (let i = 0; i < pixels; i += 1) {
    const value = packed
      ? ((bytes[i >>> 3] ?? 0) >>> (i & 7)) & 1
      : width === 2
        ? (bytes[2 * i] ?? 0) + 256 * (bytes[2 * i + 1] ?? 0)
        : (bytes[i] ?? 0)
    mask[i] = (wanted === null ? value >= half && value > 0 : value === wanted) ? 1 : 0
  }
  return mask
}

/** One slice of a series that a segmentation may lie on. */
export interface TargetSlice {
  sopInstanceUID: string
  /** 1-based, for multi-frame images; null otherwise. */
  frame: number | null
  plane: FramePlane | null
}

/**
 * Index of the target slice that a segmentation frame covers pixel by pixel: the plane at the same place (within a
 * tenth of a millimetre, or a quarter of the thickness) on the same grid; without planes, the image it names as its
 * source. null when there is none.
 */
export function sliceUnder(frame: SegmentationFrame, slices: readonly TargetSlice[]): number | null {
  const { plane, source } = frame
  if (plane === null) {
    const named = slices.findIndex(
      (slice) => source?.sopInstanceUID === slice.sopInstanceUID && (source.frame ?? 1) === (slice.frame ?? 1),
    )
    return named < 0 ? null : named
  }
  const along = alongNormal(plane)
  let best: number | null = null
  let distance = Math.max(0.1, (plane.sliceThicknessMm ?? 0) / 4)
  slices.forEach((slice, index) => {
    if (slice.plane === null || !sameGrid(plane, slice.plane)) return
    const gap = Math.abs(alongNormal(slice.plane) - along)
    if (gap <= distance) {
      best = index
      distance = gap
    }
  })
  return best
}

/** Inverse of the writer's colour: CIELab of PS3.3 C.10.7.1.1 (16 bits each, D50) to sRGB 0–255. */
export function rgbOfCieLab(lab: readonly number[]): [number, number, number] {
  const [l = 0, a = 0, b = 0] = lab
  const fy = ((l / 65535) * 100 + 16) / 116
  const fx = fy + ((a / 65535) * 255 - 128) / 500
  const fz = fy - ((b / 65535) * 255 - 128) / 200
  const inverse = (t: number): number => (t > 6 / 29 ? t ** 3 : (116 * t - 16) / (24389 / 27))
  const [x, y, z] = [0.96422 * inverse(fx), inverse(fy), 0.82521 * inverse(fz)]
  const gamma = (value: number): number => {
    const v = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055
    return Math.min(255, Math.max(0, Math.round(v * 255)))
  }
  return [
    gamma(3.1338561 * x - 1.6168667 * y - 0.4906146 * z),
    gamma(-0.9787684 * x + 1.9161415 * y + 0.033454 * z),
    gamma(0.0719453 * x - 0.2289914 * y + 1.4052427 * z),
  ]
}
