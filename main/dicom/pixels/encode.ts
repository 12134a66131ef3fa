import sharp, { type Sharp } from 'sharp'
import type { RenderedImage } from './render.ts'

export interface EncodeOptions {
  /** Fits the image into this box, its proportions kept; never enlarges unless `enlarge`. Pixels. */
  size?: { width: number; height: number }
  enlarge?: boolean
}

const JPEG_QUALITY = 90

/** Lossless PNG, grey or RGB, without metadata. */
export function encodePng(image: RenderedImage, options: EncodeOptions = {}): Promise<Uint8Array> {
  return prepared(image, options).png({ compressionLevel: 6 }).toBuffer()
}

/** JPEG without chroma subsampling, without metadata. @param options.quality 1–100 */
export function encodeJpeg(
  image: RenderedImage,
  options: EncodeOptions & { quality?: number } = {},
): Promise<Uint8Array> {
  return prepared(image, options)
    .jpeg({ quality: options.quality ?? JPEG_QUALITY, chromaSubsampling: '4:4:4' })
    .toBuffer()
}

function prepared(image: RenderedImage, { size, enlarge }: EncodeOptions): Sharp {
  const { width, height, channels, pixels } = image
  const raw = sharp(pixels, { raw: { width, height, channels }, limitInputPixels: false })
  // Grey stays grey: otherwise sharp writes three equal channels.
  const coloured = channels === 1 ? raw.toColourspace('b-w') : raw
  if (size === undefined) return coloured
  return coloured.resize({ ...size, fit: 'inside', withoutEnlargement: enlarge !== true })
}
