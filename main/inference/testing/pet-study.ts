import { fromKeywords } from '../../dicom/write/dataset.ts'
import { writePart10 } from '../../dicom/write/part10.ts'
import { newUid } from '../../dicom/write/uid.ts'
import type { ImportSource } from '../../studies/types.ts'

export const PET_SIZE = 32
export const PET_SLICES = 24
const PET_SPACING_MM = 4
/** 70 kg and 350 MBq at administration: SUV = Bq/ml · 70 000 g / 350 000 000 Bq. */
const BQ_PER_SUV = 5000
const SLOPE = 2

export interface PetStudyOptions {
  /** SUV of the voxel with indices x, y, z. */
  suv: (x: number, y: number, z: number) => number
  studyInstanceUID?: string
  description?: string
  /** Without, the header lacks the patient's weight, so that SUV cannot be computed. */
  weightKg?: number | null
  correctedImage?: string[]
  /** Slices left out, by index. */
  missing?: number[]
}

export interface PetStudy {
  studyInstanceUID: string
  seriesInstanceUID: string
  sopInstanceUIDs: string[]
  sources: ImportSource[]
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}

/** An axial PET series of known SUV: 32 × 32 × 24 voxels of 4 mm, first voxel centred on (−62, −62, −46) mm. */
export function petStudy(options: PetStudyOptions): PetStudy {
  const studyInstanceUID = options.studyInstanceUID ?? newUid()
  const seriesInstanceUID = newUid()
  const frameOfReference = newUid()
  const sopInstanceUIDs: string[] = []
  const sources: ImportSource[] = []
  const weight = options.weightKg === undefined ? 70 : options.weightKg
  for (let z = 0; z < PET_SLICES; z++) {
    if (options.missing?.includes(z)) continue
    const sop = newUid()
    const pixels = Buffer.alloc(PET_SIZE * PET_SIZE * 2)
    for (let y = 0; y < PET_SIZE; y++)
      for (let x = 0; x < PET_SIZE; x++)
        pixels.writeInt16LE(Math.round((options.suv(x, y, z) * BQ_PER_SUV) / SLOPE), (y * PET_SIZE + x) * 2)
    const dataset = fromKeywords({
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.128',
      SOPInstanceUID: sop,
      StudyInstanceUID: studyInstanceUID,
      SeriesInstanceUID: seriesInstanceUID,
      FrameOfReferenceUID: frameOfReference,
      Modality: 'PT',
      PatientID: 'TEST',
      PatientName: 'Test^Pet',
      PatientWeight: weight ?? undefined,
      StudyDate: '20260101',
      SeriesDate: '20260101',
      SeriesTime: '120000',
      AcquisitionDate: '20260101',
      AcquisitionTime: '120000',
      SeriesNumber: 4,
      SeriesDescription: options.description ?? 'PET',
      InstanceNumber: z + 1,
      ImageType: ['ORIGINAL', 'PRIMARY'],
      Units: 'BQML',
      CorrectedImage: options.correctedImage ?? ['ATTN', 'DECY'],
      DecayCorrection: 'ADMIN',
      RadiopharmaceuticalInformationSequence: [
        { RadionuclideTotalDose: 350_000_000, RadionuclideHalfLife: 6586.2, RadiopharmaceuticalStartTime: '110000' },
      ],
      ImagePositionPatient: [
        -(PET_SIZE / 2 - 0.5) * PET_SPACING_MM,
        -(PET_SIZE / 2 - 0.5) * PET_SPACING_MM,
        (z - PET_SLICES / 2 + 0.5) * PET_SPACING_MM,
      ],
      ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
      PixelSpacing: [PET_SPACING_MM, PET_SPACING_MM],
      SliceThickness: PET_SPACING_MM,
      Rows: PET_SIZE,
      Columns: PET_SIZE,
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      BitsAllocated: 16,
      BitsStored: 16,
      HighBit: 15,
      PixelRepresentation: 1,
      RescaleSlope: SLOPE,
      RescaleIntercept: 0,
    })
    sopInstanceUIDs.push(sop)
    const bytes = writePart10(dataset, { pixels: { vr: 'OW', bytes: pixels } })
    sources.push({ kind: 'stream', name: `${z}.dcm`, chunks: once(bytes) })
  }
  return { studyInstanceUID, seriesInstanceUID, sopInstanceUIDs, sources }
}

/** SUV `hot` inside a ball (voxel units), 1 elsewhere. */
export function ball(centre: [number, number, number], radius: number, hot: number): PetStudyOptions['suv'] {
  return (x, y, z) => (Math.hypot(x - centre[0], y - centre[1], z - centre[2]) <= radius ? hot : 1)
}
