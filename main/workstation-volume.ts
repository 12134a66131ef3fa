import { number, text } from '#common/dicom/json.ts'
import type { SeriesInstanceUID, StudyInstanceUID } from '#common/ids.ts'
import { pixelFormat } from './dicom/codecs/pixel-format.ts'
import { assembleVolume, type AssembleOptions } from './dicom/volume/assemble.ts'
import type { Volume, VolumeInstance } from './dicom/volume/types.ts'
import type { ReadableStudies } from './studies/types.ts'
import { decodeAside } from './workstation-pixels.ts'

/**
 * The main volume of a stored series, in real units.
 * @throws as assembleVolume
 */
export async function seriesVolume(
  studies: ReadableStudies,
  study: StudyInstanceUID,
  series: SeriesInstanceUID,
  options: AssembleOptions = {},
): Promise<Volume> {
  const records = new Map(studies.instances(study, series).map((record) => [record.sopInstanceUID as string, record]))
  const datasets = await studies.metadata(study, { seriesInstanceUID: series })
  const instances = datasets.flatMap((dataset): VolumeInstance[] => {
    const record = records.get(text(dataset, '00080018') ?? '')
    if (record === undefined || record.frames === 0 || number(dataset, '00280010') === null) return []
    return [
      {
        dataset,
        frames: record.frames,
        transferSyntaxUID: record.transferSyntaxUID,
        async decode(frame) {
          const { bytes } = await studies.frame(study, record.sopInstanceUID, frame + 1)
          return decodeAside(bytes, pixelFormat(dataset, record.transferSyntaxUID))
        },
      },
    ]
  })
  return assembleVolume(instances, options)
}
