import { AlcoveError } from '#common/errors.ts'
import { type DicomJsonDataset, number, text } from '#common/dicom/json.ts'
import { applyModality, modalityTransform, type ModalityTransform } from '#common/dicom/modality-lut.ts'
import type { DecodedFrame, PixelArray } from '../types.ts'
import { paletteToRgb } from './palette.ts'
import { headerVoiTable, headerWindows, tableFunction, type Window, windowFunction } from './voi.ts'

export interface RenderOptions {
  /** 0-based frame, for objects whose frames carry their own rescaling and window. */
  frame?: number
  /** Instead of what the header suggests; in real units (HU for CT). Greyscale only. */
  window?: Window
  invert?: boolean
}

/** An image as a screen shows it: 8 bits a channel, row-major, channels interleaved. */
export interface RenderedImage {
  width: number
  height: number
  channels: 1 | 3
  pixels: Uint8Array
}

/**
 * A decoded frame through the display pipeline of PS3.4 N.2: modality LUT, VOI LUT (the given window; else the header's
 * VOI LUT, else its first window, else minimum to maximum), presentation LUT shape; palettes and colour to RGB. Padding
 * pixels come out black. Tables the data set holds only by reference must be brought in first (`withTables`).
 * @throws AlcoveError dicom/undecodable-pixels when a palette is missing
 */
export function renderFrame(
  decoded: DecodedFrame,
  dataset: DicomJsonDataset,
  options: RenderOptions = {},
): RenderedImage {
  const { rows: height, columns: width, pixels, samplesPerPixel } = decoded
  if (samplesPerPixel === 3) return { width, height, channels: 3, pixels: colour(pixels, dataset, options) }
  if (decoded.photometricInterpretation === 'PALETTE COLOR') {
    const rgb = paletteToRgb(pixels, dataset, isSigned(pixels))
    if (rgb === null)
      throw new AlcoveError('dicom/undecodable-pixels', 'The image cannot be shown: its colour palette is missing.')
    return { width, height, channels: 3, pixels: options.invert === true ? inverted(rgb) : rgb }
  }
  return { width, height, channels: 1, pixels: grey(decoded, dataset, options) }
}

function isSigned(pixels: PixelArray): boolean {
  return pixels instanceof Int8Array || pixels instanceof Int16Array || pixels instanceof Int32Array
}

function inverted(pixels: Uint8Array): Uint8Array {
  return pixels.map((value) => 255 - value)
}

function colour(pixels: PixelArray, dataset: DicomJsonDataset, options: RenderOptions): Uint8Array {
  const scale = 255 / (2 ** (number(dataset, '00280101') ?? pixels.BYTES_PER_ELEMENT * 8) - 1)
  const out = new Uint8Array(pixels.length)
  if (pixels instanceof Uint8Array && scale === 1) out.set(pixels)
  else for (let k = 0; k < pixels.length; k++) out[k] = Math.min(255, Math.round(pixels[k]! * scale))
  return options.invert === true ? inverted(out) : out
}

function grey(decoded: DecodedFrame, dataset: DicomJsonDataset, options: RenderOptions): Uint8Array {
  const { pixels } = decoded
  const frame = options.frame ?? 0
  const modality = modalityTransform(dataset, frame, isSigned(pixels))
  const isPadding = paddingTest(dataset, pixels)
  const voi = valueOfInterest(pixels, dataset, modality, isPadding, options)
  // Presentation LUT Shape INVERSE and MONOCHROME1 say the same thing (PS3.3 C.11.4, C.8.11.3.1.2).
  const inverse = decoded.photometricInterpretation === 'MONOCHROME1' || text(dataset, '20500020') === 'INVERSE'
  const flip = inverse !== (options.invert ?? false)
  const shade = (real: number): number => {
    const part = voi(real)
    return Math.round((flip ? 1 - part : part) * 255)
  }

  const out = new Uint8Array(pixels.length)
  const real = new Float32Array(1)
  const one = new Float64Array(1)
  const shadeOf = (stored: number): number => {
    if (Number.isNaN(stored) || isPadding?.(stored) === true) return 0
    one[0] = stored
    applyModality(one, modality, real)
    return shade(real[0]!)
  }
  if (pixels.BYTES_PER_ELEMENT <= 2 && !(pixels instanceof Float32Array)) {
    // Few possible values: each is computed once.
    const { low, high } = extent(pixels)
    const shades = new Uint8Array(high - low + 1)
    for (let value = low; value <= high; value++) shades[value - low] = shadeOf(value)
    for (let k = 0; k < pixels.length; k++) out[k] = shades[pixels[k]! - low]!
  } else for (let k = 0; k < pixels.length; k++) out[k] = shadeOf(pixels[k]!)
  return out
}

function valueOfInterest(
  pixels: PixelArray,
  dataset: DicomJsonDataset,
  modality: ModalityTransform,
  isPadding: ((stored: number) => boolean) | null,
  options: RenderOptions,
): (real: number) => number {
  if (options.window !== undefined) return windowFunction(options.window)
  const signed = isSigned(pixels) || (modality.kind === 'linear' && modality.intercept < 0)
  const table = headerVoiTable(dataset, signed)
  if (table !== null) return tableFunction(table)
  const [window] = headerWindows(dataset, options.frame ?? 0)
  if (window !== undefined) return windowFunction(window)
  const { low, high } = extent(pixels, isPadding)
  const ends = new Float32Array(2)
  applyModality([low, high], modality, ends)
  const [from, to] = [Math.min(ends[0]!, ends[1]!), Math.max(ends[0]!, ends[1]!)]
  // A single value has no range: it is shown black, as nothing stands out.
  return windowFunction({ center: (from + to) / 2, width: to > from ? to - from : 1, function: 'LINEAR_EXACT' })
}

function extent(
  pixels: PixelArray,
  isPadding: ((stored: number) => boolean) | null = null,
): { low: number; high: number } {
  let low = Infinity
  let high = -Infinity
  for (let k = 0; k < pixels.length; k++) {
    const value = pixels[k]!
    if (Number.isNaN(value) || !Number.isFinite(value) || isPadding?.(value) === true) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  return low <= high ? { low, high } : { low: 0, high: 0 }
}

/** Pixel Padding Value and its Range Limit (PS3.3 C.7.5.1.1.2); null when the image is not padded. */
function paddingTest(dataset: DicomJsonDataset, pixels: PixelArray): ((stored: number) => boolean) | null {
  const value = number(dataset, '00280120')
  if (value === null) return null
  const bits = number(dataset, '00280101') ?? pixels.BYTES_PER_ELEMENT * 8
  // The value's own VR is often wrong: it is brought to the sign and width of the pixels.
  const stored = (raw: number): number => {
    const masked = ((raw % 2 ** bits) + 2 ** bits) % 2 ** bits
    return isSigned(pixels) && masked >= 2 ** (bits - 1) ? masked - 2 ** bits : masked
  }
  const a = stored(value)
  const b = stored(number(dataset, '00280121') ?? value)
  const [low, high] = [Math.min(a, b), Math.max(a, b)]
  return (pixel) => pixel >= low && pixel <= high
}
