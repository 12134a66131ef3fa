import { AlcoveError } from '#common/errors.ts'
import { number, text, type DicomJsonDataset } from '#common/dicom/json.ts'
import { code, copyElements, fromKeywords, type Keywords } from './dataset.ts'
import { writePart10 } from './part10.ts'
import { alongNormal, framePlane, sameGrid, type FramePlane } from './plane.ts'
import { newUid } from './uid.ts'

const SEGMENTATION_STORAGE = '1.2.840.10008.5.1.4.1.1.66.4'

type CodedConcept = readonly [value: string, scheme: string, meaning: string]

/** One slice of the label volume: a frame of an image of the series that was segmented. */
interface SegmentedSlice {
  /** The instance's data set as the store gives it. */
  dataset: DicomJsonDataset
  /** 1-based, for a frame of a multi-frame image; null for a single-frame image. */
  frame: number | null
}

export interface SegmentToWrite {
  /** Value in the label volume; also the Segment Number, so that values are 1…n without gaps. */
  value: number
  label: string
  category: CodedConcept
  type: CodedConcept
  /** 0–255 each. */
  colorRgb: readonly [number, number, number]
  description?: string
}

interface SegmentationAlgorithm {
  name: string
  version: string
  /** Shown in Contributing Equipment: model digest, provider, runtime; nothing about the patient. */
  description: string
  /** Who made the model. */
  source?: string
  /** Version of the application. */
  softwareVersion: string
}

export interface SegmentationInput {
  /** In the order of the label volume's slices. */
  slices: readonly SegmentedSlice[]
  /** Slices × rows × columns in the images' own pixel grid, 0 = nothing. */
  labels: Uint8Array
  segments: readonly SegmentToWrite[]
  algorithm: SegmentationAlgorithm
  seriesDescription: string
  seriesNumber?: number
  /** Content date and time; now when left out. */
  at?: Date
  /** Fresh ones when left out. */
  uids?: { series: string; instance: string }
}

export interface WrittenSegmentation {
  bytes: Uint8Array
  seriesInstanceUID: string
  sopInstanceUID: string
}

interface Plane extends FramePlane {
  slice: SegmentedSlice
  index: number
  along: number
}

/**
 * A binary Segmentation object (PS3.3 A.51) in the geometry of its source images, explicit VR little endian. Frames in
 * which a segment has no pixel are left out.
 * @returns null when no voxel is segmented
 * @throws AlcoveError geometry/unsuitable, dicom/missing-attribute, request/invalid when sizes do not agree
 */
export function writeSegmentation(input: SegmentationInput): WrittenSegmentation | null {
  const first = input.slices[0]
  if (first === undefined) throw new AlcoveError('request/invalid', 'A segmentation needs source images.')
  const rows = required(number(first.dataset, '00280010'), 'Rows')
  const columns = required(number(first.dataset, '00280011'), 'Columns')
  if (input.labels.length !== rows * columns * input.slices.length)
    throw new AlcoveError('request/invalid', 'The label volume and its source images differ in size.')
  input.segments.forEach((segment, index) => {
    if (segment.value !== index + 1)
      throw new AlcoveError('request/invalid', 'Segments must be numbered 1, 2, … in order.')
  })
  const planes = planesOf(input.slices)
  const frames = framesOf(input, planes, rows * columns)
  if (frames.length === 0) return null
  const seriesInstanceUID = input.uids?.series ?? newUid()
  const sopInstanceUID = input.uids?.instance ?? newUid()
  const dataset: DicomJsonDataset = {
    ...copyElements(first.dataset, COPIED, REQUIRED_EMPTY),
    ...fromKeywords({
      SOPClassUID: SEGMENTATION_STORAGE,
      SOPInstanceUID: sopInstanceUID,
      SeriesInstanceUID: seriesInstanceUID,
      ...describe(input, rows, columns, frames),
    }),
  }
  const bytes = writePart10(dataset, { pixels: { vr: 'OB', bytes: pack(input.labels, frames, rows * columns) } })
  return { bytes, seriesInstanceUID, sopInstanceUID }
}

function required<Value>(value: Value | null, name: string): Value {
  if (value === null) throw new AlcoveError('dicom/missing-attribute', `${name} is missing in the source images.`)
  return value
}

/** Patient, study and frame of reference go over unchanged. */
const COPIED = [
  '00080005',
  '00080020',
  '00080030',
  '00080050',
  '00080090',
  '00081030',
  '00100010',
  '00100020',
  '00100021',
  '00100030',
  '00100040',
  '00101010',
  '00101030',
  '0020000D',
  '00200010',
  '00200052',
  '00201040',
]

/** Type 2 of the Patient, General Study and Frame of Reference modules: present even when unknown. */
const REQUIRED_EMPTY = {
  '00080020': 'DA',
  '00080030': 'TM',
  '00080050': 'SH',
  '00080090': 'PN',
  '00100010': 'PN',
  '00100020': 'LO',
  '00100030': 'DA',
  '00100040': 'CS',
  '00200010': 'SH',
  '00201040': 'LO',
} as const

function planesOf(slices: readonly SegmentedSlice[]): Plane[] {
  const planes = slices.map((slice, index): Plane => {
    const plane = framePlane(slice.dataset, slice.frame ?? 1)
    if (plane === null)
      throw new AlcoveError('geometry/unsuitable', `Source image ${index + 1} has no position in the patient.`)
    return { ...plane, slice, index, along: alongNormal(plane) }
  })
  const [first] = planes
  if (first !== undefined && !planes.every((plane) => sameGrid(first, plane)))
    throw new AlcoveError('geometry/unsuitable', 'The source images do not share one pixel grid and orientation.')
  return planes
}

interface Frame {
  plane: Plane
  segment: number
  /** 1-based place of the plane among those present, from low to high along the normal. */
  position: number
}

/** Frames with at least one pixel, segment by segment, along the normal. */
function framesOf(input: SegmentationInput, planes: readonly Plane[], pixels: number): Frame[] {
  const present = new Map<number, Set<number>>()
  const values = new Set(input.segments.map((segment) => segment.value))
  planes.forEach((plane, k) => {
    const seen = new Set<number>()
    for (let i = k * pixels; i < (k + 1) * pixels; i += 1) {
      const label = input.labels[i] ?? 0
      if (label !== 0) seen.add(label)
    }
    for (const label of seen) {
      if (!values.has(label))
        throw new AlcoveError('request/invalid', `The label volume holds ${label}, which is no segment.`)
    }
    if (seen.size > 0) present.set(plane.index, seen)
  })
  const ordered = planes.filter((plane) => present.has(plane.index)).toSorted((a, b) => a.along - b.along)
  return input.segments.flatMap((segment) =>
    ordered.flatMap((plane, index) =>
      present.get(plane.index)?.has(segment.value) === true
        ? [{ plane, segment: segment.value, position: index + 1 }]
        : [],
    ),
  )
}

/** One bit a pixel, first pixel in the least significant bit; frames follow each other without padding (PS3.5 8.1.1). */
function pack(labels: Uint8Array, frames: readonly Frame[], pixels: number): Uint8Array {
  const packed = new Uint8Array(Math.ceil((frames.length * pixels) / 8))
  let bit = 0
  for (const frame of frames) {
    const from = frame.plane.index * pixels
    for (let i = from; i < from + pixels; i += 1, bit += 1) {
      if (labels[i] === frame.segment) packed[bit >>> 3] = (packed[bit >>> 3] ?? 0) | (1 << (bit & 7))
    }
  }
  return packed
}

/** DA and TM of an instant, in local time as the other times of a study are. */
function dateAndTime(at: Date): { date: string; time: string } {
  const two = (value: number): string => String(value).padStart(2, '0')
  return {
    date: `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`,
    time: `${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`,
  }
}

function describe(input: SegmentationInput, rows: number, columns: number, frames: readonly Frame[]): Keywords {
  const { algorithm } = input
  const { date, time } = dateAndTime(input.at ?? new Date())
  const organization = newUid()
  const lossy = input.slices.find((slice) => text(slice.dataset, '00282110') === '01')
  return {
    ImageType: ['DERIVED', 'PRIMARY'],
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    SeriesDate: date,
    SeriesTime: time,
    ContentDate: date,
    ContentTime: time,
    Modality: 'SEG',
    Manufacturer: 'Alcove',
    ManufacturerModelName: 'Alcove',
    DeviceSerialNumber: '1',
    SoftwareVersions: algorithm.softwareVersion,
    SeriesDescription: input.seriesDescription.slice(0, 64),
    SeriesNumber: input.seriesNumber ?? 9000,
    InstanceNumber: 1,
    ContentLabel: 'SEGMENTATION',
    ContentDescription: input.seriesDescription.slice(0, 64),
    ContentCreatorName: 'Alcove^Software',
    BodyPartExamined: text(input.slices[0]?.dataset ?? {}, '00180015') ?? undefined,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    NumberOfFrames: frames.length,
    Rows: rows,
    Columns: columns,
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelRepresentation: 0,
    BurnedInAnnotation: 'NO',
    LossyImageCompression: lossy === undefined ? '00' : '01',
    ...(lossy === undefined ? {} : lossyHistory(lossy.dataset)),
    SegmentationType: 'BINARY',
    SegmentsOverlap: 'NO',
    SegmentSequence: input.segments.map((segment) => segmentItem(segment, algorithm)),
    ContributingEquipmentSequence: [
      {
        PurposeOfReferenceCodeSequence: [code(['109102', 'DCM', 'Processing Equipment'])],
        Manufacturer: algorithm.source ?? 'Alcove',
        ManufacturerModelName: algorithm.name.slice(0, 64),
        SoftwareVersions: algorithm.version.slice(0, 64),
        ContributionDateTime: `${date}${time}`,
        ContributionDescription: algorithm.description.slice(0, 1024),
      },
    ],
    ReferencedSeriesSequence: [referencedSeries(input.slices)],
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organization }],
    DimensionIndexSequence: [
      {
        DimensionOrganizationUID: organization,
        DimensionIndexPointer: '0062000B',
        FunctionalGroupPointer: '0062000A',
        DimensionDescriptionLabel: 'Segment Number',
      },
      {
        DimensionOrganizationUID: organization,
        DimensionIndexPointer: '00200032',
        FunctionalGroupPointer: '00209113',
        DimensionDescriptionLabel: 'Position',
      },
    ],
    SharedFunctionalGroupsSequence: [sharedGroups(frames)],
    PerFrameFunctionalGroupsSequence: frames.map(frameGroups),
  }
}

function lossyHistory(dataset: DicomJsonDataset): Keywords {
  const ratio = number(dataset, '00282112')
  const method = text(dataset, '00282114')
  return {
    LossyImageCompressionRatio: ratio ?? 1,
    LossyImageCompressionMethod: method ?? 'ISO_10918_1',
  }
}

function segmentItem(segment: SegmentToWrite, algorithm: SegmentationAlgorithm): Keywords {
  return {
    SegmentNumber: segment.value,
    SegmentLabel: segment.label.slice(0, 64),
    SegmentDescription: segment.description?.slice(0, 1024),
    SegmentAlgorithmType: 'AUTOMATIC',
    SegmentAlgorithmName: `${algorithm.name} ${algorithm.version}`.slice(0, 64),
    SegmentationAlgorithmIdentificationSequence: [
      {
        AlgorithmFamilyCodeSequence: [code(['123110', 'DCM', 'Artificial Intelligence'])],
        AlgorithmName: algorithm.name.slice(0, 64),
        AlgorithmVersion: algorithm.version.slice(0, 64),
        AlgorithmSource: algorithm.source ?? 'Alcove',
      },
    ],
    SegmentedPropertyCategoryCodeSequence: [code(segment.category)],
    SegmentedPropertyTypeCodeSequence: [code(segment.type)],
    RecommendedDisplayCIELabValue: cieLab(segment.colorRgb),
    TrackingID: `${segment.label.slice(0, 50)} ${segment.value}`,
    TrackingUID: newUid(),
  }
}

function reference(slice: SegmentedSlice): Keywords {
  return {
    ReferencedSOPClassUID: required(text(slice.dataset, '00080016'), 'SOP Class UID'),
    ReferencedSOPInstanceUID: required(text(slice.dataset, '00080018'), 'SOP Instance UID'),
  }
}

function referencedSeries(slices: readonly SegmentedSlice[]): Keywords {
  const instances = new Map(slices.map((slice) => [text(slice.dataset, '00080018'), reference(slice)]))
  return {
    SeriesInstanceUID: required(text(slices[0]?.dataset ?? {}, '0020000E'), 'Series Instance UID'),
    ReferencedInstanceSequence: [...instances.values()],
  }
}

/** Distance between the planes present when it is even, otherwise the smallest one, mm. */
function spacingBetween(frames: readonly Frame[]): number | undefined {
  const along = [...new Set(frames.map((frame) => frame.plane.along))].toSorted((a, b) => a - b)
  const gaps = along.slice(1).map((value, index) => value - (along[index] ?? 0))
  return gaps.length === 0 ? undefined : Math.round(Math.min(...gaps) * 1e6) / 1e6
}

function sharedGroups(frames: readonly Frame[]): Keywords {
  const plane = frames[0]?.plane
  if (plane === undefined) return {}
  const between = spacingBetween(frames)
  return {
    PlaneOrientationSequence: [{ ImageOrientationPatient: [...plane.rowDirection, ...plane.columnDirection] }],
    PixelMeasuresSequence: [
      {
        PixelSpacing: plane.pixelSpacingMm,
        SliceThickness: plane.sliceThicknessMm ?? between ?? 1,
        SpacingBetweenSlices: between,
      },
    ],
  }
}

function frameGroups(frame: Frame): Keywords {
  const { slice } = frame.plane
  return {
    FrameContentSequence: [{ DimensionIndexValues: [frame.segment, frame.position] }],
    PlanePositionSequence: [{ ImagePositionPatient: frame.plane.positionLps }],
    SegmentIdentificationSequence: [{ ReferencedSegmentNumber: frame.segment }],
    DerivationImageSequence: [
      {
        DerivationCodeSequence: [code(['113076', 'DCM', 'Segmentation'])],
        SourceImageSequence: [
          {
            ...reference(slice),
            ReferencedFrameNumber: slice.frame ?? undefined,
            PurposeOfReferenceCodeSequence: [code(['121322', 'DCM', 'Source image for image processing operation'])],
            SpatialLocationsPreserved: 'YES',
          },
        ],
      },
    ],
  }
}

/** sRGB (0–255) as PCS-values of PS3.3 C.10.7.1.1: L* 0–100, a* and b* −128–127, each scaled to 16 bits; white D50. */
export function cieLab(rgb: readonly [number, number, number]): [number, number, number] {
  const linear = (value: number): number => {
    const v = value / 255
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  }
  const [r, g, b] = [linear(rgb[0]), linear(rgb[1]), linear(rgb[2])]
  // sRGB to XYZ adapted to D50 (Bradford), as ICC profiles have it.
  const x = 0.4360747 * r + 0.3850649 * g + 0.1430804 * b
  const y = 0.2225045 * r + 0.7168786 * g + 0.0606169 * b
  const z = 0.0139322 * r + 0.0971045 * g + 0.7141733 * b
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116)
  const [fx, fy, fz] = [f(x / 0.96422), f(y), f(z / 0.82521)]
  const scale = (value: number, low: number, high: number): number =>
    Math.min(65535, Math.max(0, Math.round(((value - low) / (high - low)) * 65535)))
  return [scale(116 * fy - 16, 0, 100), scale(500 * (fx - fy), -128, 127), scale(200 * (fy - fz), -128, 127)]
}
