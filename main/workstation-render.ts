import sharp, { type Sharp } from 'sharp'
import { type DicomJsonDataset } from '#common/dicom/json.ts'
import { AlcoveError } from '#common/errors.ts'
import { pixelFormat } from './dicom/codecs/pixel-format.ts'
import { withTables } from './dicom/pixels/tables.ts'
import type { Window } from './dicom/pixels/voi.ts'
import type { InstanceRecord, ReadableStudies } from './studies/types.ts'
import { renderAside } from './workstation-pixels.ts'

/** Part of the image in its own pixels; a negative size mirrors. */
export interface SourceRegion {
  x: number
  y: number
  width: number
  height: number
}

export interface RenderOptions {
  format: 'png' | 'jpeg'
  /** 1–100, JPEG only. */
  quality?: number
  /** The picture fits into this many pixels, aspect ratio kept; the image's own size when left out. */
  viewport?: { width: number; height: number } | null
  region?: SourceRegion | null
  /** VOI window; the image's own, or its range of values, when left out. */
  window?: Window | null
}

interface Raster {
  data: Uint8Array
  width: number
  height: number
  channels: 1 | 3
}

function crop(pipeline: Sharp, region: SourceRegion, raster: Raster): Sharp {
  const left = Math.max(0, Math.min(raster.width - 1, Math.floor(region.x)))
  const top = Math.max(0, Math.min(raster.height - 1, Math.floor(region.y)))
  const width = Math.max(1, Math.round(Math.min(raster.width - left, Math.abs(region.width))))
  const height = Math.max(1, Math.round(Math.min(raster.height - top, Math.abs(region.height))))
  let result = pipeline.extract({ left, top, width, height })
  if (region.width < 0) result = result.flop()
  if (region.height < 0) result = result.flip()
  return result
}

async function encode(raster: Raster, aspect: number, options: RenderOptions): Promise<Buffer> {
  let pipeline = sharp(raster.data, {
    raw: { width: raster.width, height: raster.height, channels: raster.channels },
    limitInputPixels: false,
  })
  const region = options.region ?? null
  if (region !== null) pipeline = crop(pipeline, region, raster)
  // Pixels that are not square are made so, as a viewer shows them (PS3.3 C.7.6.3.1.7).
  const size = {
    width: region === null ? raster.width : Math.min(raster.width, Math.abs(region.width)),
    height: (region === null ? raster.height : Math.min(raster.height, Math.abs(region.height))) * aspect,
  }
  const viewport = options.viewport ?? null
  if (viewport !== null || aspect !== 1) {
    const box = viewport ?? size
    const scale = Math.min(box.width / size.width, box.height / size.height)
    pipeline = pipeline.resize({
      width: Math.max(1, Math.round(size.width * scale)),
      height: Math.max(1, Math.round(size.height * scale)),
      fit: 'fill',
      kernel: scale < 1 ? 'lanczos3' : 'cubic',
    })
  }
  if (raster.channels === 1) pipeline = pipeline.toColourspace('b-w')
  return options.format === 'png'
    ? pipeline.png({ compressionLevel: 6 }).toBuffer()
    : pipeline.jpeg({ quality: options.quality ?? 90 }).toBuffer()
}

/** Height of a pixel by its width: Pixel Spacing, or Pixel Aspect Ratio; 1 when nothing is said. */
function pixelAspect(dataset: DicomJsonDataset): number {
  for (const tag of ['00280030', '00181164', '00280034']) {
    const [vertical, horizontal] = (dataset[tag]?.Value ?? []).map(Number)
    if (vertical !== undefined && horizontal !== undefined && vertical > 0 && horizontal > 0) {
      const aspect = vertical / horizontal
      return Math.abs(aspect - 1) < 0.001 || aspect > 20 || aspect < 0.05 ? 1 : aspect
    }
  }
  return 1
}

/**
 * A frame (1-based) as a person would see it, as a PNG or JPEG file.
 * @throws AlcoveError not-found, dicom/no-pixels, dicom/undecodable-pixels, dicom/unsupported-transfer-syntax
 */
export async function renderStoredFrame(
  studies: ReadableStudies,
  record: InstanceRecord,
  frame: number,
  options: RenderOptions,
): Promise<Buffer> {
  if (record.frames === 0) throw new AlcoveError('dicom/no-pixels', 'This object has no image.')
  const [dataset] = await studies.metadata(record.studyInstanceUID, { sopInstanceUID: record.sopInstanceUID })
  if (dataset === undefined) throw new AlcoveError('not-found', 'There is no such instance here.')
  const { bytes } = await studies.frame(record.studyInstanceUID, record.sopInstanceUID, frame)
  const complete = await withTables(dataset, (offset, length) =>
    studies.bytes(record.studyInstanceUID, record.sopInstanceUID, offset, length),
  )
  const shown = await renderAside(bytes, pixelFormat(dataset, record.transferSyntaxUID), complete, {
    frame: frame - 1,
    ...(options.window == null ? {} : { window: options.window }),
  })
  return encode(
    { data: shown.pixels, width: shown.width, height: shown.height, channels: shown.channels },
    pixelAspect(dataset),
    options,
  )
}
