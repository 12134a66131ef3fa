import { code, fromKeywords } from '../dicom/write/dataset.ts'
import { writePart10 } from '../dicom/write/part10.ts'
import { uidOf } from '../dicom/write/uid.ts'

export interface Radiograph {
  /** Grey values 0–255, higher is brighter (denser), row-major. */
  pixels: Uint8Array
  rows: number
  columns: number
  /** UIDs follow from it: the same name gives the same object. */
  name: string
  patientId?: string
  /** AP, PA, LL, RL; left out when unknown. */
  viewPosition?: string
  /** Detector pixel, mm; 1 when unknown, since the IOD asks for one. */
  pixelMm?: number
  /** The pixels went through lossy JPEG before. */
  lossy?: boolean
}

/**
 * A picture of a radiograph as a Digital X-Ray image for presentation (PS3.3 A.26), explicit VR little endian: how
 * research collections that come as PNG or JPEG reach the same path as a hospital's images.
 */
export function wrapRadiograph(radiograph: Radiograph): Uint8Array {
  const { name, rows, columns, pixels } = radiograph
  if (pixels.length !== rows * columns) throw new RangeError('The picture and its size do not agree.')
  const pixelMm = radiograph.pixelMm ?? 1
  const dataset = fromKeywords({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
    SOPInstanceUID: uidOf(`${name} image`),
    StudyInstanceUID: uidOf(`${name} study`),
    SeriesInstanceUID: uidOf(`${name} series`),
    ImageType: ['DERIVED', 'PRIMARY'],
    StudyDate: '20260101',
    StudyTime: '120000',
    ContentDate: '20260101',
    ContentTime: '120000',
    AcquisitionDate: '20260101',
    AcquisitionTime: '120000',
    AccessionNumber: null,
    Modality: 'DX',
    PresentationIntentType: 'FOR PRESENTATION',
    Manufacturer: 'Alcove',
    ReferringPhysicianName: null,
    StudyDescription: 'Chest radiograph',
    SeriesDescription: 'Chest radiograph',
    PatientName: 'ALCOVE^RADIOGRAPH',
    PatientID: radiograph.patientId ?? name.slice(0, 64),
    PatientBirthDate: null,
    PatientSex: null,
    BodyPartExamined: 'CHEST',
    ViewPosition: radiograph.viewPosition,
    DetectorType: null,
    DetectorID: null,
    ImagerPixelSpacing: [pixelMm, pixelMm],
    PositionerType: 'NONE',
    StudyID: null,
    SeriesNumber: 1,
    InstanceNumber: 1,
    PatientOrientation: ['L', 'F'],
    ImageLaterality: 'U',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: rows,
    Columns: columns,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    BurnedInAnnotation: 'NO',
    PixelIntensityRelationship: 'LOG',
    PixelIntensityRelationshipSign: -1,
    WindowCenter: 128,
    WindowWidth: 256,
    RescaleIntercept: 0,
    RescaleSlope: 1,
    RescaleType: 'US',
    LossyImageCompression: radiograph.lossy === true ? '01' : '00',
    LossyImageCompressionRatio: radiograph.lossy === true ? 10 : undefined,
    LossyImageCompressionMethod: radiograph.lossy === true ? 'ISO_10918_1' : undefined,
    PresentationLUTShape: 'IDENTITY',
    AnatomicRegionSequence: [code(['51185008', 'SCT', 'Chest'])],
    AcquisitionContextSequence: [],
  })
  return writePart10(dataset, { pixels: { vr: 'OB', bytes: pixels } })
}
