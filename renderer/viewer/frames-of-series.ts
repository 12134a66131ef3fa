import { type DicomJsonDataset, items, number, numbers, text } from '#common/dicom/json.ts'
import { TRANSFER_SYNTAXES } from '#common/dicom/transfer-syntax.ts'
import type { Calibration } from '#common/contract/calibration.ts'
import { asVec3, cross, dot, normalize, type Vec3 } from './vector.ts'

/** One displayable frame: how its bytes are to be read and where it lies in the patient. */
export interface FrameInfo {
  sopInstanceUID: string
  sopClassUID: string
  /** 1-based. */
  frameNumber: number
  framesInInstance: number
  instanceNumber: number | null
  rows: number
  columns: number
  samplesPerPixel: number
  bitsAllocated: number
  bitsStored: number
  highBit: number
  signed: boolean
  float: boolean
  planarConfiguration: 0 | 1
  photometricInterpretation: string
  transferSyntaxUID: string
  /** [between rows, between columns] in mm; null when the image says nothing. */
  spacingMm: [number, number] | null
  /** `patient`: Pixel Spacing. `detector`: Imager Pixel Spacing, not corrected for magnification. */
  spacingKind: 'patient' | 'detector' | 'none'
  /** Centre of the first voxel, LPS mm. */
  positionLps: Vec3 | null
  rowDirection: Vec3 | null
  columnDirection: Vec3 | null
  /** value = stored · slope + intercept, in the series' unit. */
  slope: number
  intercept: number
  /** VOI windows of the data set, in the unit of its own modality LUT. */
  windows: { center: number; width: number; explanation: string | null }[]
  frameOfReferenceUID: string | null
  thicknessMm: number | null
  lossy: boolean
  dataset: DicomJsonDataset
}

export interface SeriesFrames {
  modality: string
  unit: Calibration['unit']
  unitReason: string
  /** In voxel order: ascending along the normal of the stack where geometry allows. */
  frames: FrameInfo[]
  /** Whether a person reads the frames from last to first: axial stacks go from the head down. */
  readBackwards: boolean
}

/** Shared, per-frame (PS3.3 C.7.6.16) and plain attributes read in that order of precedence. */
function functionalGroup(dataset: DicomJsonDataset, frame: number, sequence: string): DicomJsonDataset | null {
  const perFrame = items(dataset, '52009230')[frame - 1]
  const shared = items(dataset, '52009229')[0]
  for (const group of [perFrame, shared]) {
    const item = group === undefined ? undefined : items(group, sequence)[0]
    if (item !== undefined) return item
  }
  return null
}

function spacingOf(dataset: DicomJsonDataset, frame: number): Pick<FrameInfo, 'spacingMm' | 'spacingKind'> {
  const pair = (values: number[] | null): [number, number] | null =>
    values !== null && values.length >= 2 && values[0]! > 0 && values[1]! > 0 ? [values[0]!, values[1]!] : null
  const measures = functionalGroup(dataset, frame, '00289110')
  const patient = pair(measures === null ? null : numbers(measures, '00280030')) ?? pair(numbers(dataset, '00280030'))
  if (patient !== null) return { spacingMm: patient, spacingKind: 'patient' }
  const detector = pair(numbers(dataset, '00181164'))
  if (detector !== null) return { spacingMm: detector, spacingKind: 'detector' }
  return { spacingMm: null, spacingKind: 'none' }
}

function windowsOf(dataset: DicomJsonDataset, frame: number): FrameInfo['windows'] {
  const source = functionalGroup(dataset, frame, '00289132') ?? dataset
  const centers = numbers(source, '00281050') ?? []
  const widths = numbers(source, '00281051') ?? []
  const names = source['00281055']?.Value ?? []
  return centers.flatMap((center, index) => {
    const width = widths[index]
    const name = names[index]
    return width === undefined || width < 1
      ? []
      : [{ center, width, explanation: typeof name === 'string' ? name.trim() : null }]
  })
}

function frameInfo(dataset: DicomJsonDataset, frame: number, framesInInstance: number): FrameInfo | null {
  const rows = number(dataset, '00280010')
  const columns = number(dataset, '00280011')
  const sopInstanceUID = text(dataset, '00080018')
  if (rows === null || columns === null || rows < 1 || columns < 1 || sopInstanceUID === null) return null
  const position = functionalGroup(dataset, frame, '00209113') ?? dataset
  const orientation = functionalGroup(dataset, frame, '00209116') ?? dataset
  const transformation = functionalGroup(dataset, frame, '00289145') ?? dataset
  const measures = functionalGroup(dataset, frame, '00289110') ?? dataset
  const positionLps = numbers(position, '00200032')
  const cosines = numbers(orientation, '00200037')
  const bitsAllocated = number(dataset, '00280100') ?? 16
  const bitsStored = number(dataset, '00280101') ?? bitsAllocated
  const transferSyntaxUID = text(dataset, '00083002') ?? text(dataset, '00020010') ?? '1.2.840.10008.1.2.1'
  return {
    sopInstanceUID,
    sopClassUID: text(dataset, '00080016') ?? '',
    frameNumber: frame,
    framesInInstance,
    instanceNumber: number(dataset, '00200013'),
    rows,
    columns,
    samplesPerPixel: number(dataset, '00280002') ?? 1,
    bitsAllocated,
    bitsStored,
    highBit: number(dataset, '00280102') ?? bitsStored - 1,
    signed: number(dataset, '00280103') === 1,
    float: dataset['7FE00008'] !== undefined,
    planarConfiguration: number(dataset, '00280006') === 1 ? 1 : 0,
    photometricInterpretation: text(dataset, '00280004') ?? 'MONOCHROME2',
    transferSyntaxUID,
    ...spacingOf(dataset, frame),
    positionLps: positionLps?.length === 3 ? asVec3(positionLps) : null,
    rowDirection: cosines?.length === 6 ? normalize(asVec3(cosines.slice(0, 3))) : null,
    columnDirection: cosines?.length === 6 ? normalize(asVec3(cosines.slice(3, 6))) : null,
    slope: number(transformation, '00281053') ?? 1,
    intercept: number(transformation, '00281052') ?? 0,
    windows: windowsOf(dataset, frame),
    frameOfReferenceUID: text(dataset, '00200052'),
    thicknessMm: number(measures, '00180050'),
    lossy: text(dataset, '00282110') === '01' || (TRANSFER_SYNTAXES.get(transferSyntaxUID)?.lossy ?? false),
    dataset,
  }
}

/** Distance of a frame along the stack's normal, mm; null without geometry. */
export function depthMm(frame: FrameInfo): number | null {
  if (frame.positionLps === null || frame.rowDirection === null || frame.columnDirection === null) return null
  return dot(frame.positionLps, normalize(cross(frame.rowDirection, frame.columnDirection)))
}

/** One orientation and a position for every frame: the order in space is meaningful. */
function spatial(frames: FrameInfo[]): boolean {
  const first = frames[0]
  if (first === undefined) return false
  return frames.every(
    (frame) =>
      depthMm(frame) !== null &&
      dot(frame.rowDirection!, first.rowDirection!) > 0.999 &&
      dot(frame.columnDirection!, first.columnDirection!) > 0.999,
  )
}

/**
 * Frames of a series: along the normal where geometry allows, otherwise by Instance Number and frame. `calibration`
 * replaces the header's rescale values.
 */
export function framesOfSeries(datasets: DicomJsonDataset[], calibration: Calibration | null): SeriesFrames {
  const scaling = new Map(calibration?.instances.map((row) => [row.sopInstanceUID, row]))
  const frames = datasets.flatMap((dataset) => {
    const declared = number(dataset, '00280008') ?? 1
    const hasPixels = dataset['00280010'] !== undefined && dataset['00280011'] !== undefined
    if (!hasPixels) return []
    return Array.from({ length: Math.max(1, declared) }, (_, index) => frameInfo(dataset, index + 1, declared)).filter(
      (frame) => frame !== null,
    )
  })
  for (const frame of frames) {
    const row = scaling.get(frame.sopInstanceUID)
    const perFrame = functionalGroup(frame.dataset, frame.frameNumber, '00289145') !== null
    // Per-frame rescale of an enhanced object is finer than one row per instance, unless the row carries an SUV factor.
    if (row !== undefined && (!perFrame || calibration?.unit === 'SUVbw')) {
      frame.slope = row.slope
      frame.intercept = row.intercept
    }
  }
  const order = (frame: FrameInfo): number => (frame.instanceNumber ?? 0) * 1e7 + frame.frameNumber
  const inSpace = frames.length > 1 && spatial(frames)
  if (inSpace) frames.sort((a, b) => depthMm(a)! - depthMm(b)! || order(a) - order(b))
  else frames.sort((a, b) => order(a) - order(b))
  return {
    modality: (datasets[0] && text(datasets[0], '00080060')) ?? 'OT',
    unit: calibration?.unit ?? 'stored',
    unitReason: calibration?.reason ?? 'The workstation said nothing about what the values mean.',
    frames,
    readBackwards: inSpace && headward(frames[0]!) > 0.5,
  }
}

/** How much the stack's normal points to the head, −1 to 1. */
function headward(frame: FrameInfo): number {
  return normalize(cross(frame.rowDirection!, frame.columnDirection!))[2]
}
