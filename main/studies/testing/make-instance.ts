import type { DicomJsonDataset, DicomJsonElement } from '#common/dicom/json.ts'
import { writePart10 } from '../../dicom/write/index.ts'

export interface Made {
  study?: string
  series?: string
  sop: string
  modality?: string
  instanceNumber?: number
  patientName?: string
  /** Further elements, tag → element. */
  more?: DicomJsonDataset
  /** Bytes of 8-bit pixels, rows of 1000 of them or one shorter row; none when left out. */
  pixels?: Uint8Array
  frames?: number
}

const one = (vr: string, value: string | number): DicomJsonElement => ({ vr, Value: [value] })

/** A small DICOM file for tests, written by Alcove's own writer (which has its tests against others). */
export function makeInstance(made: Made): Buffer {
  const { pixels, frames = 1 } = made
  const dataset: DicomJsonDataset = {
    '00080016': one('UI', '1.2.840.10008.5.1.4.1.1.7'),
    '00080018': one('UI', made.sop),
    '00080060': one('CS', made.modality ?? 'OT'),
    '00100010': { vr: 'PN', Value: [{ Alphabetic: made.patientName ?? 'Doe^Jane' }] },
    '0020000D': one('UI', made.study ?? '1.2.3.4'),
    '0020000E': one('UI', made.series ?? `${made.study ?? '1.2.3.4'}.1`),
    '00200013': one('IS', made.instanceNumber ?? 1),
    ...made.more,
  }
  if (pixels === undefined) return Buffer.from(writePart10(dataset))
  const columns = Math.min(1000, pixels.length / frames)
  Object.assign(dataset, {
    '00280002': one('US', 1),
    '00280004': one('CS', 'MONOCHROME2'),
    '00280008': one('IS', frames),
    '00280010': one('US', pixels.length / frames / columns),
    '00280011': one('US', columns),
    '00280100': one('US', 8),
    '00280101': one('US', 8),
    '00280102': one('US', 7),
    '00280103': one('US', 0),
  })
  return Buffer.from(writePart10(dataset, { pixels: { vr: 'OB', bytes: pixels } }))
}
