import type { ModelManifest } from '#common/model/manifest.ts'
import { decodeFrame } from '../../dicom/codecs/decode-frame.ts'
import { pixelFormat } from '../../dicom/codecs/pixel-format.ts'
import { assembleVolume } from '../../dicom/volume/assemble.ts'
import type { VolumeInstance } from '../../dicom/volume/types.ts'
import type { Affine } from '../geometry/affine.ts'
import type { RunContext } from './context.ts'
import { scopeWarnings } from './scope.ts'
import type { SeriesVolume } from './segment.ts'
import type { OpenSeries, SeriesInstance } from './series-reader.ts'

function volumeInstance(instance: SeriesInstance, context: RunContext): VolumeInstance {
  const { dataset, transferSyntaxUID, frames } = instance
  const format = pixelFormat(dataset, transferSyntaxUID)
  return {
    dataset,
    frames,
    transferSyntaxUID,
    decode: async (frame) => {
      await context.pause()
      return decodeFrame(instance.frame(frame + 1).bytes, format)
    },
  }
}

/**
 * The series as a volume in the unit the model reads: SUV from the header for PET, HU for CT. Never guessed.
 * @throws suv/not-computable, geometry/unsuitable, dicom/undecodable-pixels, dicom/too-large
 */
export async function loadVolume(
  series: OpenSeries,
  manifest: ModelManifest,
  context: RunContext,
): Promise<SeriesVolume> {
  const volume = await assembleVolume(
    series.instances.map((instance) => volumeInstance(instance, context)),
    {
      petUnit: manifest.inputs[0]!.unit === 'SUVbw' ? 'SUVbw' : 'stored',
      onProgress: (done, total) => context.progress(done, total, 'Reading the series'),
    },
  )
  const bySop = new Map(series.instances.map((instance) => [instance.sopInstanceUID, instance]))
  return {
    grid: { size: volume.shape, toLps: volume.affine.slice(0, 12) as unknown as Affine },
    data: volume.data,
    unit: volume.unit,
    seriesInstanceUID: series.seriesInstanceUID,
    slices: volume.sopInstanceUIDs.map((sopInstanceUID, k) => {
      const instance = bySop.get(sopInstanceUID)
      return {
        sopInstanceUID,
        dataset: instance?.dataset ?? {},
        frame: (instance?.frames ?? 1) > 1 ? (volume.frames[k] ?? 1) : null,
      }
    }),
    warnings: [
      ...volume.notes.map((note) => note.message),
      ...scopeWarnings(series.instances[0]!.dataset, manifest.scope),
    ],
  }
}
