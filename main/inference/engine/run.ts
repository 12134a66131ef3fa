import { AlcoveError } from '#common/errors.ts'
import type { RunOrder, RunResult } from '../messages.ts'
import { newUid } from '../../dicom/write/uid.ts'
import { writeSegmentation } from '../../dicom/write/segmentation.ts'
import { classifyImages } from './classify.ts'
import { timed, type RunContext } from './context.ts'
import { loadDisplayImages } from './load-images.ts'
import { loadVolume } from './load-series.ts'
import { segmentVolume, type SegmentationOutcome, type SeriesVolume } from './segment.ts'
import { runtimeName, type Sessions } from './sessions.ts'
import { openSeries } from './series-reader.ts'

/**
 * One run from the encrypted study to findings and a SEG file.
 * @throws model/not-applicable, suv/not-computable, geometry/unsuitable, store/corrupt, inference/*, task/cancelled
 */
export async function runOrder(order: RunOrder, sessions: Sessions, context: RunContext): Promise<RunResult> {
  const { manifest } = order.model
  if (manifest.inputs.length !== 1 || manifest.outputs.length !== 1)
    throw new AlcoveError(
      'model/not-applicable',
      'The model takes several images or gives several outputs; this version of Alcove runs models with one of each.',
    )
  context.progress(0, null, 'Reading the series')
  const series = await timed(context, 'read', () => openSeries(order, context.pause))
  try {
    const model = await timed(context, 'load model', () => sessions.get(order.model, order.provider))
    if (manifest.task === 'segmentation' && manifest.dimensions === 3) {
      const volume = await timed(context, 'decode', () => loadVolume(series, manifest, context))
      const outcome = await segmentVolume(volume, model, context)
      const segmentation = await timed(context, 'segmentation object', () =>
        Promise.resolve(encodeSegmentation(order, volume, outcome.segmentation)),
      )
      return {
        findings: outcome.findings,
        warnings: outcome.warnings,
        timings: context.timings,
        preprocessingDigest: outcome.preprocessingDigest,
        inputSopInstanceUIDs: [...new Set(volume.slices.map((slice) => slice.sopInstanceUID))],
        segmentation,
      }
    }
    if (manifest.task === 'classification' && manifest.dimensions === 2) {
      const { images, warnings } = await timed(context, 'decode', () => loadDisplayImages(series, manifest, context))
      const outcome = await classifyImages(images, series.seriesInstanceUID, model, context)
      return {
        findings: outcome.findings,
        warnings,
        timings: context.timings,
        preprocessingDigest: outcome.preprocessingDigest,
        inputSopInstanceUIDs: images.map((image) => image.sopInstanceUID),
        segmentation: null,
      }
    }
    throw new AlcoveError(
      'model/not-applicable',
      `This version of Alcove runs 3-D segmentation and 2-D classification, not ${manifest.dimensions}-D ${manifest.task}.`,
    )
  } finally {
    series.close()
  }
}

function encodeSegmentation(
  order: RunOrder,
  volume: SeriesVolume,
  found: SegmentationOutcome['segmentation'],
): RunResult['segmentation'] {
  if (found === null) return null
  const { manifest, digest } = order.model
  return writeSegmentation({
    slices: volume.slices,
    labels: found.labels,
    segments: found.segments.map(({ number, name, label }) => ({
      value: number,
      label: name,
      category: label.category,
      type: label.type,
      colorRgb: label.colorRgb,
    })),
    algorithm: {
      name: manifest.id,
      version: manifest.version,
      description: `model.onnx SHA-256 ${digest}; ${order.provider}, ${runtimeName()}; ${manifest.intendedUse}`,
      softwareVersion: order.app,
    },
    seriesDescription: `${manifest.id} ${manifest.version}`,
    uids: { series: newUid(), instance: newUid() },
  })
}
