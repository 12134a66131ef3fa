import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { code, fromKeywords, type Keywords } from '../dicom/write/dataset.ts'
import { uidOf } from '../dicom/write/uid.ts'
import type { Scene } from './scene.ts'

/** When the invented examination took place; everything else follows from it. */
const STUDY_DATE = '20260302'
const CT_TIME = '100500'
const INJECTION_TIME = '091500'
const PET_TIME = '101500'
export const UPTAKE_SECONDS = 3600

export const WEIGHT_KG = 75
export const INJECTED_BQ = 370e6
/** Fluorine-18, s (the value scanners write). */
export const HALF_LIFE_SECONDS = 6586.2

export interface Volume {
  rows: number
  columns: number
  slices: number
  /** Distances between columns, rows and slices, mm. */
  spacingMm: readonly [x: number, y: number, z: number]
  /** Centre of the first pixel of the lowest slice, LPS, mm. */
  originLps: readonly [number, number, number]
}

export interface StudyIdentity {
  studyInstanceUID: string
  frameOfReferenceUID: string
  /** Base of every other UID of the study. */
  name: string
}

export function identity(name: string): StudyIdentity {
  return { name, studyInstanceUID: uidOf(`${name} study`), frameOfReferenceUID: uidOf(`${name} frame of reference`) }
}

function common(study: StudyIdentity, scene: Scene): Keywords {
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    StudyInstanceUID: study.studyInstanceUID,
    FrameOfReferenceUID: study.frameOfReferenceUID,
    StudyDate: STUDY_DATE,
    StudyTime: '100000',
    StudyID: 'DEMO',
    StudyDescription: scene.description,
    BodyPartExamined: scene.bodyPart,
    Laterality: scene.laterality,
    AccessionNumber: 'ALCOVE-DEMO',
    ReferringPhysicianName: null,
    PatientName: 'ALCOVE^DEMO',
    PatientID: 'ALCOVE-DEMO',
    PatientBirthDate: '19660101',
    PatientSex: 'O',
    PatientAge: '060Y',
    PatientSize: 1.75,
    PatientWeight: WEIGHT_KG,
    Manufacturer: 'Alcove',
    ManufacturerModelName: 'Demonstration phantom',
    DeviceSerialNumber: '1',
    SoftwareVersions: '1',
    InstitutionName: 'Alcove demonstration',
    PositionReferenceIndicator: null,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 16,
    BurnedInAnnotation: 'NO',
  }
}

/** What differs from slice to slice; instance 1 is the uppermost, as scanners number from the head down. */
function slice(volume: Volume, index: number): Keywords {
  const [x, y, z] = volume.originLps
  const place = Math.round((z + index * volume.spacingMm[2]) * 1e4) / 1e4
  return {
    InstanceNumber: volume.slices - index,
    ImagePositionPatient: [x, y, place],
    ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
    SliceLocation: place,
    PixelSpacing: [volume.spacingMm[1], volume.spacingMm[0]],
    SliceThickness: volume.spacingMm[2],
    Rows: volume.rows,
    Columns: volume.columns,
  }
}

/** Stored value = HU + this. */
export const CT_OFFSET = 1024

/** Data set of CT slice `index` (0 = lowest), without pixel data. */
export function ctHeader(study: StudyIdentity, scene: Scene, volume: Volume, index: number): DicomJsonDataset {
  return fromKeywords({
    ...common(study, scene),
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: uidOf(`${study.name} CT ${index}`),
    SeriesInstanceUID: uidOf(`${study.name} CT series`),
    ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
    Modality: 'CT',
    SeriesNumber: 2,
    SeriesDescription: `CT ${scene.name} (phantom)`,
    SeriesDate: STUDY_DATE,
    SeriesTime: CT_TIME,
    AcquisitionDate: STUDY_DATE,
    AcquisitionTime: CT_TIME,
    ContentDate: STUDY_DATE,
    ContentTime: CT_TIME,
    AcquisitionNumber: 1,
    PatientPosition: 'HFS',
    KVP: 120,
    XRayTubeCurrent: 120,
    ExposureTime: 500,
    ConvolutionKernel: 'STANDARD',
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    RescaleIntercept: -CT_OFFSET,
    RescaleSlope: 1,
    RescaleType: 'HU',
    WindowCenter: 40,
    WindowWidth: 400,
    ...slice(volume, index),
  })
}

/** Data set of PET slice `index` (0 = lowest), without pixel data. `slope` gives Bq/ml per stored unit. */
export function petHeader(
  study: StudyIdentity,
  scene: Scene,
  volume: Volume,
  index: number,
  slope: number,
): DicomJsonDataset {
  return fromKeywords({
    ...common(study, scene),
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.128',
    SOPInstanceUID: uidOf(`${study.name} PT ${index}`),
    SeriesInstanceUID: uidOf(`${study.name} PT series`),
    ImageType: ['ORIGINAL', 'PRIMARY'],
    Modality: 'PT',
    SeriesNumber: 3,
    SeriesDescription: 'PET FDG corrected (phantom)',
    SeriesDate: STUDY_DATE,
    SeriesTime: PET_TIME,
    AcquisitionDate: STUDY_DATE,
    AcquisitionTime: PET_TIME,
    ContentDate: STUDY_DATE,
    ContentTime: PET_TIME,
    SeriesType: ['WHOLE BODY', 'IMAGE'],
    Units: 'BQML',
    CountsSource: 'EMISSION',
    NumberOfSlices: volume.slices,
    CorrectedImage: ['ATTN', 'SCAT', 'RAN', 'NORM', 'DECY', 'DTIM'],
    RandomsCorrectionMethod: 'DLYD',
    AttenuationCorrectionMethod: 'CT',
    ScatterCorrectionMethod: 'Model based',
    DecayCorrection: 'START',
    ReconstructionMethod: 'Simulated',
    CollimatorType: 'NONE',
    FrameReferenceTime: 0,
    ActualFrameDuration: 180000,
    DecayFactor: 1,
    ImageIndex: volume.slices - index,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    RescaleIntercept: 0,
    RescaleSlope: slope,
    PatientOrientationCodeSequence: [
      {
        ...code(['102538003', 'SCT', 'recumbent']),
        PatientOrientationModifierCodeSequence: [code(['40199007', 'SCT', 'supine'])],
      },
    ],
    PatientGantryRelationshipCodeSequence: [code(['102540008', 'SCT', 'headfirst'])],
    RadiopharmaceuticalInformationSequence: [
      {
        Radiopharmaceutical: 'FDG -- fluorodeoxyglucose',
        RadiopharmaceuticalStartTime: INJECTION_TIME,
        RadiopharmaceuticalStartDateTime: `${STUDY_DATE}${INJECTION_TIME}`,
        RadionuclideTotalDose: INJECTED_BQ,
        RadionuclideHalfLife: HALF_LIFE_SECONDS,
        RadionuclidePositronFraction: 0.967,
        RadionuclideCodeSequence: [code(['77004003', 'SCT', '^18^Fluorine'])],
        RadiopharmaceuticalCodeSequence: [code(['35321007', 'SCT', 'Fluorodeoxyglucose F^18^'])],
      },
    ],
    ...slice(volume, index),
  })
}
