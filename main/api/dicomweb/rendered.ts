import { SEGMENTATION_CLASSES } from '#common/dicom/sop-class.ts'
import { AlcoveError } from '#common/errors.ts'
import type { InstanceRecord, ReadableStudies } from '../../studies/types.ts'
import { renderStoredFrame } from '../../workstation-render.ts'
import { parseRenderParameters, type RenderParameters } from './render-parameters.ts'

const THUMBNAIL_PIXELS = 128

async function answer(
  studies: ReadableStudies,
  record: InstanceRecord,
  frame: number,
  parameters: RenderParameters,
): Promise<Response> {
  const { media, quality, viewport, region, window } = parameters
  const bytes = await renderStoredFrame(studies, record, frame, {
    format: media === 'image/png' ? 'png' : 'jpeg',
    quality,
    viewport,
    region,
    window,
  })
  return new Response(new Uint8Array(bytes), {
    headers: { 'Content-Type': media, 'Content-Length': String(bytes.length) },
  })
}

/** WADO-RS rendered instance or frame, PS3.18 section 10.4.1.1.3. */
export function renderFrame(
  studies: ReadableStudies,
  request: Request,
  record: InstanceRecord,
  frame: number,
): Promise<Response> {
  return answer(studies, record, frame, parseRenderParameters(request, 'image/jpeg'))
}

/**
 * WADO-RS thumbnail, PS3.18 section 10.4.1.1.4: of a study or series its middle image, of a multi-frame image its
 * middle frame.
 * @throws dicom/no-pixels when there is no image
 */
export function renderThumbnail(
  studies: ReadableStudies,
  request: Request,
  records: readonly InstanceRecord[],
  frame?: number,
): Promise<Response> {
  const withFrames = records.filter((record) => record.frames > 0)
  const pictures = withFrames.filter((record) => !SEGMENTATION_CLASSES.has(record.sopClassUID))
  const images = pictures.length > 0 ? pictures : withFrames
  // The series with most images is what a study is about; localizers and key images are small series.
  const sizes = new Map<string, number>()
  for (const { seriesInstanceUID, frames } of images) {
    sizes.set(seriesInstanceUID, (sizes.get(seriesInstanceUID) ?? 0) + frames)
  }
  const [main] = [...sizes].sort(([, left], [, right]) => right - left)
  const series = images.filter((record) => record.seriesInstanceUID === main?.[0])
  const record = series[Math.floor(series.length / 2)]
  if (record === undefined) throw new AlcoveError('dicom/no-pixels', 'There is no image to show.')
  const parameters = parseRenderParameters(request, 'image/jpeg')
  const viewport = parameters.viewport ?? { width: THUMBNAIL_PIXELS, height: THUMBNAIL_PIXELS }
  return answer(studies, record, frame ?? Math.ceil(record.frames / 2), { ...parameters, viewport })
}
