import { randomUUID } from 'node:crypto'
import type { Finding } from '#common/contract/inference.ts'
import { AlcoveError } from '#common/errors.ts'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import type { ModelLabel } from '#common/model/manifest.ts'
import { modelGrid, spacingOf, voxelCount, voxelVolumeMl, type Grid } from '../geometry/grid.ts'
import { planResample, resampleVolume } from '../geometry/resample.ts'
import { connectedComponents, forEachRun, type Region } from '../postprocess/components.ts'
import { measureRegion } from '../postprocess/measure.ts'
import { whereInWords } from '../postprocess/where.ts'
import { slidingWindow } from '../sliding-window.ts'
import { preprocessingDigest, timed, type RunContext } from './context.ts'
import { normalise, normaliseAll, outsideValue } from './intensity.ts'
import type { LoadedModel } from './sessions.ts'

/** A series as a volume of physical values. */
export interface SeriesVolume {
  grid: Grid
  /** x fastest; in `unit`. */
  data: Float32Array
  /** SUVbw, HU, the header's own, or "stored" when the header names none. */
  unit: string
  seriesInstanceUID: string
  /** The image behind each slice (z). `frame` is 1-based within a multi-frame instance, null otherwise. */
  slices: readonly { sopInstanceUID: string; dataset: DicomJsonDataset; frame: number | null }[]
  warnings: readonly string[]
}

export interface SegmentationOutcome {
  findings: Finding[]
  warnings: string[]
  preprocessingDigest: string
  /** Segment number of each source voxel (0 none), and which label each segment has; null when nothing was found. */
  segmentation: { labels: Uint8Array; segments: { number: number; name: string; label: ModelLabel }[] } | null
}

/** A binary SEG here numbers its segments in one byte; more regions than this is noise, not findings. */
const MAX_FINDINGS = 255
/** 4 GiB of float32. */
const MAX_MODEL_VOXELS = 2 ** 30
/** Source voxels this many times longer than the model's are warned about: small lesions cannot be told. */
const COARSE_FACTOR = 2.5

interface Found {
  region: Region
  label: ModelLabel
  name: string
  measured: ReturnType<typeof measureRegion>
}

/** Things about the source that a reader of the result should know. */
function applicabilityWarnings(volume: SeriesVolume, model: LoadedModel): string[] {
  const { spacingMm } = model.manifest.inputs[0]!
  const own = spacingOf(volume.grid)
  const warnings = [...volume.warnings]
  const text = own.map((mm) => mm.toFixed(2)).join(' × ')
  if (spacingMm !== null && Math.max(...own) > COARSE_FACTOR * Math.max(...spacingMm))
    warnings.push(
      `The voxels (${text} mm) are much larger than those the model was trained on (${spacingMm.join(' × ')} mm); small findings cannot be expected.`,
    )
  const limit = model.manifest.scope?.maxSpacingMm
  if (limit !== undefined && Math.max(...own) > limit)
    warnings.push(`The model is meant for voxels of at most ${limit} mm; these are ${text} mm.`)
  return warnings
}

/**
 * Runs a 3-D segmentation model on a series: onto the model's grid, through the model tile by tile, probabilities back
 * onto the source's voxels, and there thresholded, split into regions (26-neighbourhood) and measured.
 * @throws model/not-applicable, geometry/unsuitable, inference/failed, task/cancelled
 */
export async function segmentVolume(
  volume: SeriesVolume,
  model: LoadedModel,
  context: RunContext,
): Promise<SegmentationOutcome> {
  const input = model.manifest.inputs[0]!
  const output = model.manifest.outputs[0]!
  if (input.unit !== 'stored' && volume.unit !== input.unit)
    throw new AlcoveError(
      'model/not-applicable',
      `The model reads ${input.unit}, but this series gives ${volume.unit === 'stored' ? 'uncalibrated values' : volume.unit}.`,
    )
  const warnings = applicabilityWarnings(volume, model)
  const grid = modelGrid(volume.grid, input.orientation, input.spacingMm)
  if (voxelCount(grid) > MAX_MODEL_VOXELS)
    throw new AlcoveError('geometry/unsuitable', 'The series covers too large a volume for this model.')
  const outside = outsideValue(input.unit)
  const plan = planResample(volume.grid, grid, outside)

  const tensor = await timed(context, 'preprocess', async () => {
    const resampled = await resampleVolume(plan, volume.data, context.pause)
    normaliseAll(resampled, input.intensity, outside)
    return resampled
  })
  const digest = await timed(context, 'digest', () => preprocessingDigest(input, [tensor], context))

  const channels = output.labels.length
  const tile = input.tiling?.size ?? grid.size
  const shape = [1, 1, tile[2], tile[1], tile[0]]
  const probabilities = await timed(context, 'inference', () =>
    slidingWindow(
      tensor,
      {
        size: grid.size,
        tile: input.tiling?.size ?? null,
        overlap: input.tiling?.overlap ?? 0,
        channels,
        padding: normalise(outside, input.intensity),
      },
      async (values) => {
        const result = await model.run(values, shape)
        if (result.length !== channels * values.length)
          throw new AlcoveError(
            'inference/failed',
            `The model gave ${result.length} values for a tile of ${values.length} voxels and ${channels} labels.`,
          )
        return result
      },
      async (done, total) => {
        context.progress(done, total, 'Running the model')
        await context.pause()
      },
    ),
  )

  const found = await timed(context, 'postprocess', async () => {
    const back = planResample(grid, volume.grid, 'edge')
    const minVoxels = ((output.minVolumeMl ?? 0) / voxelVolumeMl(volume.grid)) * (1 - 1e-9)
    const onSource = new Float32Array(voxelCount(volume.grid))
    const list: Found[] = []
    for (const [channel, label] of output.labels.entries()) {
      const voxels = voxelCount(grid)
      const own = probabilities.subarray(channel * voxels, (channel + 1) * voxels)
      // Tiles' logits were blended; the sigmoid comes once, after.
      if (output.activation === 'logit') for (let i = 0; i < own.length; i++) own[i] = 1 / (1 + Math.exp(-own[i]!))
      await resampleVolume(back, own, context.pause, onSource)
      await context.pause()
      const regions = connectedComponents((i) => onSource[i]! >= output.threshold, volume.grid.size, 26)
      const largest = regions.filter((region) => region.voxels >= minVoxels).toSorted((a, b) => b.voxels - a.voxels)
      if (list.length + largest.length > MAX_FINDINGS)
        warnings.push(
          `${list.length + largest.length - MAX_FINDINGS} of the smallest regions are left out; so many suggest that the model does not suit this image.`,
        )
      for (const [i, region] of largest.slice(0, MAX_FINDINGS - list.length).entries()) {
        await context.pause()
        const name = largest.length === 1 ? label.name : `${label.name} ${i + 1}`
        list.push({ region, label, name, measured: measureRegion(region, volume.grid, volume.data, onSource) })
      }
    }
    return list
  })
  return {
    findings: found.map((item, i) => finding(item, i + 1, volume)),
    warnings,
    preprocessingDigest: digest,
    segmentation: found.length === 0 ? null : segmentationOf(found, volume.grid),
  }
}

function finding({ name, measured }: Found, segmentNumber: number, volume: SeriesVolume): Finding {
  return {
    id: randomUUID(),
    label: name,
    kind: 'region',
    confidence: measured.meanProbability,
    positive: true,
    seriesInstanceUID: volume.seriesInstanceUID,
    sopInstanceUID: volume.slices[measured.centreVoxel[2]]?.sopInstanceUID ?? null,
    where: whereInWords(volume.grid, measured.centreVoxel, measured.bounds),
    volumeMl: measured.volumeMl,
    centreLps: measured.centreLps,
    longestAxialDiameterMm: measured.longestAxialDiameterMm,
    measurements: {
      unit: volume.unit,
      max: measured.max,
      mean: measured.mean,
      sd: measured.sd,
      voxels: measured.voxels,
    },
    segmentNumber,
    review: 'pending',
  }
}

function segmentationOf(found: Found[], grid: Grid): NonNullable<SegmentationOutcome['segmentation']> {
  const [nx, ny] = grid.size
  const labels = new Uint8Array(voxelCount(grid))
  // From the last to the first: where labels overlap, the one listed first is drawn.
  for (const [i, { region }] of [...found.entries()].toReversed())
    forEachRun(region, ny, (z, y, first, end) => {
      labels.fill(i + 1, (z * ny + y) * nx + first, (z * ny + y) * nx + end)
    })
  return { labels, segments: found.map(({ label, name }, i) => ({ number: i + 1, name, label })) }
}
