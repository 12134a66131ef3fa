import { AlcoveError } from '#common/errors.ts'
import { type SOPInstanceUID, type StudyInstanceUID } from '#common/ids.ts'
import { readSegmentation, segmentMask, sliceUnder } from '../../dicom/read/index.ts'
import type { Volume } from '../../dicom/volume/types.ts'
import type { ReadableStudies } from '../../studies/types.ts'
import type { FramePlane } from '../../dicom/write/index.ts'

/** Where each slice of the volume lies, as segmentations name planes. */
function slicePlane(volume: Volume, k: number): FramePlane {
  const a = volume.affine
  const column = (at: number): [number, number, number] => [a[at]!, a[4 + at]!, a[8 + at]!]
  const unit = (vector: [number, number, number]): [number, number, number] => {
    const size = Math.hypot(...vector)
    return [vector[0] / size, vector[1] / size, vector[2] / size]
  }
  const [x, y, z] = [column(0), column(1), column(2)]
  return {
    positionLps: [a[3]! + k * z[0], a[7]! + k * z[1], a[11]! + k * z[2]],
    rowDirection: unit(x),
    columnDirection: unit(y),
    pixelSpacingMm: [volume.spacingMm[1], volume.spacingMm[0]],
    sliceThicknessMm: volume.spacingMm[2],
  }
}

/**
 * A stored binary segmentation on the voxels of the volume it was made on: segment number of each voxel, 0 none. Read
 * back from the DICOM object, so that what is shown is what was stored.
 */
export async function labelsOf(
  studies: ReadableStudies,
  study: StudyInstanceUID,
  sop: SOPInstanceUID,
  volume: Volume,
): Promise<Uint8Array> {
  const [dataset] = await studies.metadata(study, { sopInstanceUID: sop })
  if (dataset === undefined) throw new AlcoveError('not-found', 'The segmentation is not in its study.')
  const segmentation = readSegmentation(dataset)
  const [nx, ny, nz] = volume.shape
  const slices = Array.from({ length: nz }, (_, k) => ({
    sopInstanceUID: volume.sopInstanceUIDs[k]!,
    frame: null,
    plane: slicePlane(volume, k),
  }))
  const labels = new Uint8Array(nx * ny * nz)
  for (const frame of segmentation.frames) {
    const k = sliceUnder(frame, slices)
    if (k === null || frame.segment === null) continue
    const { bytes } = await studies.frame(study, sop, frame.frame)
    const mask = segmentMask(segmentation, frame, bytes, frame.segment)
    for (let index = 0; index < mask.length; index++) {
      if (mask[index] !== 0) labels[k * nx * ny + index] = frame.segment
    }
  }
  return labels
}
