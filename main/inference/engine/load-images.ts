import { AlcoveError } from '#common/errors.ts'
import type { ModelManifest } from '#common/model/manifest.ts'
import { decodeFrame } from '../../dicom/codecs/decode-frame.ts'
import { pixelFormat } from '../../dicom/codecs/pixel-format.ts'
import { renderFrame, type RenderedImage } from '../../dicom/pixels/render.ts'
import { withTables } from '../../dicom/pixels/tables.ts'
import type { DisplayImage } from './classify.ts'
import type { RunContext } from './context.ts'
import { instanceOrder, scopeWarnings, viewSuits } from './scope.ts'
import type { OpenSeries, SeriesInstance } from './series-reader.ts'

/** A series of more radiographs than this is not read one by one. */
const MAX_IMAGES = 16

/** 0–1; colour by ITU-R BT.601 luma, as PIL's convert('L') does. */
function greyOf({ channels, pixels }: RenderedImage): Float32Array {
  const grey = new Float32Array(pixels.length / channels)
  for (let i = 0; i < grey.length; i++)
    grey[i] =
      channels === 1
        ? pixels[i]! / 255
        : (0.299 * pixels[3 * i]! + 0.587 * pixels[3 * i + 1]! + 0.114 * pixels[3 * i + 2]!) / 255
  return grey
}

async function displayImage(instance: SeriesInstance): Promise<DisplayImage> {
  const { sopInstanceUID, transferSyntaxUID } = instance
  const dataset = await withTables(instance.dataset, (offset, length) =>
    Promise.resolve(instance.bytes(offset, length)),
  )
  const decoded = await decodeFrame(instance.frame(1).bytes, pixelFormat(dataset, transferSyntaxUID))
  const rendered = renderFrame(decoded, dataset)
  return { sopInstanceUID, width: rendered.width, height: rendered.height, pixels: greyOf(rendered) }
}

/**
 * The images of a series as a screen shows them, for 2-D models: modality and VOI LUT (or window) of the header,
 * MONOCHROME1 inverted. First frame of each; those that state a view outside the model's scope are left out.
 * @throws model/not-applicable when none is left, dicom/undecodable-pixels
 */
export async function loadDisplayImages(
  series: OpenSeries,
  manifest: ModelManifest,
  context: RunContext,
): Promise<{ images: DisplayImage[]; warnings: string[] }> {
  const warnings: string[] = []
  const ordered = series.instances.toSorted((a, b) => instanceOrder(a.dataset, b.dataset))
  const suited = ordered.filter(({ dataset }) => viewSuits(dataset, manifest.scope))
  if (suited.length === 0)
    throw new AlcoveError(
      'model/not-applicable',
      `The model reads the views ${manifest.scope?.viewPositions?.join(', ') ?? ''}; this series shows others.`,
    )
  if (suited.length < ordered.length)
    warnings.push(`${ordered.length - suited.length} of ${ordered.length} images show another view and were left out.`)
  if (suited.length > MAX_IMAGES)
    warnings.push(`Only the first ${MAX_IMAGES} of ${suited.length} images of the series were read.`)
  const images: DisplayImage[] = []
  for (const instance of suited.slice(0, MAX_IMAGES)) {
    context.progress(images.length, Math.min(MAX_IMAGES, suited.length), 'Reading the images')
    await context.pause()
    for (const warning of scopeWarnings(instance.dataset, manifest.scope))
      if (!warnings.includes(warning)) warnings.push(warning)
    images.push(await displayImage(instance))
  }
  return { images, warnings }
}
