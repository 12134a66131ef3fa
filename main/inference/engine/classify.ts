import { randomUUID } from 'node:crypto'
import type { Finding } from '#common/contract/inference.ts'
import { AlcoveError } from '#common/errors.ts'
import { fitImage, type GreyImage } from '../resize-image.ts'
import { preprocessingDigest, timed, type RunContext } from './context.ts'
import { normaliseAll } from './intensity.ts'
import type { LoadedModel } from './sessions.ts'

/** An image as a person sees it: after its VOI and presentation pipeline, 0–1, MONOCHROME1 inverted. */
export interface DisplayImage extends GreyImage {
  sopInstanceUID: string
}

export interface ClassificationOutcome {
  findings: Finding[]
  preprocessingDigest: string
}

/**
 * Runs a 2-D classification model on each image; one finding per image and label, positive from the threshold on.
 * @throws inference/failed, task/cancelled
 */
export async function classifyImages(
  images: readonly DisplayImage[],
  seriesInstanceUID: string,
  model: LoadedModel,
  context: RunContext,
): Promise<ClassificationOutcome> {
  const input = model.manifest.inputs[0]!
  const output = model.manifest.outputs[0]!
  const { size } = input
  if (size === null) throw new AlcoveError('model/invalid-package', 'A 2-D model needs an input size.')
  const tensors = await timed(context, 'preprocess', async () => {
    const list: Float32Array[] = []
    for (const image of images) {
      await context.pause()
      const fitted = fitImage(image, size.width, size.height, size.fit)
      // Copied, since at equal size the fitted image is the given one.
      const plane = Float32Array.from(fitted.pixels)
      normaliseAll(plane, input.intensity, 0)
      list.push(replicated(plane, input.channels))
    }
    return list
  })
  const digest = await timed(context, 'digest', () => preprocessingDigest(input, tensors, context))
  const findings = await timed(context, 'inference', async () => {
    const list: Finding[] = []
    for (const [i, tensor] of tensors.entries()) {
      context.progress(i, tensors.length, 'Running the model')
      await context.pause()
      const scores = await model.run(tensor, [1, input.channels, size.height, size.width])
      if (scores.length !== output.labels.length)
        throw new AlcoveError(
          'inference/failed',
          `The model gave ${scores.length} scores for ${output.labels.length} labels.`,
        )
      for (const [k, label] of output.labels.entries()) {
        const score = scores[k]!
        if (!Number.isFinite(score)) throw new AlcoveError('inference/failed', 'The model gave no number as its score.')
        const probability = output.activation === 'logit' ? 1 / (1 + Math.exp(-score)) : score
        list.push({
          id: randomUUID(),
          label: label.name,
          kind: 'classification',
          confidence: Math.min(1, Math.max(0, probability)),
          positive: probability >= output.threshold,
          seriesInstanceUID,
          sopInstanceUID: images[i]!.sopInstanceUID,
          where: null,
          volumeMl: null,
          centreLps: null,
          longestAxialDiameterMm: null,
          measurements: null,
          segmentNumber: null,
          review: 'pending',
        })
      }
    }
    return list
  })
  return { findings, preprocessingDigest: digest }
}

function replicated(plane: Float32Array, channels: number): Float32Array {
  if (channels === 1) return plane
  const out = new Float32Array(plane.length * channels)
  for (let channel = 0; channel < channels; channel++) out.set(plane, channel * plane.length)
  return out
}
