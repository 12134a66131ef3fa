import { AlcoveError } from '#common/errors.ts'
import { TRANSFER_SYNTAXES, type TransferSyntax } from '#common/dicom/transfer-syntax.ts'
import type { DecodedFrame, PixelArray, PixelFormat } from '../types.ts'
import { ybrFullToRgb, ybrPartialToRgb } from './colour.ts'
import { inflateFrame } from './deflated.ts'
import { readCodestreamHeader } from './jpeg-2000-header.ts'
import { decodeJpeg, type DecodedJpeg } from './jpeg/decode-jpeg.ts'
import { type IntegerArray, interleaved, keepStoredBits, nativeFrameBytes, nativeSamples } from './native.ts'
import { decodeRle } from './rle.ts'
import { undecodable } from './undecodable.ts'
import { decodeWithWasm } from './wasm.ts'

/** What a codec gave: samples as coded, before the header's stored bits, sign and colour are applied. */
interface Coded {
  width: number
  height: number
  components: number
  precision: number
  signed: boolean
  planar: boolean
  /** Colour as coded: RGB already, or still YCbCr. */
  colour: 'rgb' | 'ybr'
  /**
   * JPEG 2000 says itself how many bits are image, and lossy values may exceed the header's; the sign is the highest
   * of them. The other codecs know no sign and code the stored bits as they are.
   */
  signInHighestCodedBit: boolean
  samples: Uint8Array | Uint16Array
}

/**
 * Decodes one frame, fragments already joined, to the samples the header describes; YBR becomes RGB.
 * JPEG, JPEG-LS, JPEG 2000 and JPEG XL run synchronously: call from a worker thread where latency matters.
 * @throws AlcoveError dicom/undecodable-pixels when anything is missing, corrupt or not what the header says;
 *   dicom/unsupported-transfer-syntax for video and syntaxes unknown to Alcove
 */
export async function decodeFrame(bytes: Uint8Array, format: PixelFormat): Promise<DecodedFrame> {
  const syntax = TRANSFER_SYNTAXES.get(format.transferSyntaxUID)
  if (syntax === undefined)
    throw new AlcoveError(
      'dicom/unsupported-transfer-syntax',
      `Images in transfer syntax ${format.transferSyntaxUID} cannot be decoded.`,
    )
  const pixels = await decodePixels(bytes, format, syntax)
  return {
    rows: format.rows,
    columns: format.columns,
    samplesPerPixel: format.samplesPerPixel,
    photometricInterpretation: format.samplesPerPixel === 3 ? 'RGB' : format.photometricInterpretation,
    pixels,
  }
}

async function decodePixels(bytes: Uint8Array, format: PixelFormat, syntax: TransferSyntax): Promise<PixelArray> {
  switch (syntax.codec) {
    case 'none':
      return toRgb(nativeSamples(bytes, format, syntax.littleEndian), format)
    case 'rle':
      return toRgb(nativeSamples(unpackRle(bytes, format), rleFormat(format), true), format)
    case 'deflated-frame': {
      const native = await inflateFrame(bytes, nativeFrameBytes(format))
      return toRgb(nativeSamples(native, format, true), format)
    }
    case 'jpeg':
    case 'jpeg-lossless':
      return fitToHeader(codedJpeg(bytes, format), format)
    case 'jpeg-ls':
    case 'jpeg-2000':
    case 'htj2k':
    case 'jpeg-xl':
      return fitToHeader(await codedByWasm(bytes, format, syntax.codec), format)
    case 'video':
      throw new AlcoveError(
        'dicom/unsupported-transfer-syntax',
        `${syntax.name} video cannot be shown yet; the file itself is kept and can be exported.`,
      )
  }
}

function unpackRle(bytes: Uint8Array, format: PixelFormat): Uint8Array {
  const pixels = format.rows * format.columns
  if (format.bitsAllocated === 1) return decodeRle(bytes, Math.ceil(pixels / 8), format.samplesPerPixel, 1)
  return decodeRle(bytes, pixels, format.samplesPerPixel, format.bitsAllocated / 8)
}

/** RLE stores each sample's bytes apart and at full size, whatever the header says of planes and chroma. */
function rleFormat(format: PixelFormat): PixelFormat {
  return { ...format, planarConfiguration: 0 }
}

function codedJpeg(bytes: Uint8Array, format: PixelFormat): Coded {
  const jpeg = decodeJpeg(bytes, {
    width: format.columns,
    height: format.rows,
    components: format.samplesPerPixel,
  })
  return {
    width: jpeg.width,
    height: jpeg.height,
    components: jpeg.componentIds.length,
    precision: jpeg.precision,
    signed: false,
    planar: false,
    colour: jpegColour(jpeg, format.photometricInterpretation),
    signInHighestCodedBit: false,
    samples: jpeg.samples,
  }
}

/**
 * What the JPEG says of itself wins over the header, because headers are often wrong: Adobe's marker, then JFIF (always
 * YCbCr), then components named R, G, B; subsampling makes no sense for RGB. Only then the header.
 */
function jpegColour(jpeg: DecodedJpeg, photometricInterpretation: string): Coded['colour'] {
  if (jpeg.componentIds.length !== 3) return 'rgb'
  if (jpeg.adobeTransform !== null) return jpeg.adobeTransform === 0 ? 'rgb' : 'ybr'
  if (jpeg.lossless) return photometricInterpretation.startsWith('YBR') ? 'ybr' : 'rgb'
  if (jpeg.jfif || jpeg.subsampled) return 'ybr'
  if (String.fromCharCode(...jpeg.componentIds) === 'RGB') return 'rgb'
  return photometricInterpretation === 'RGB' ? 'rgb' : 'ybr'
}

async function codedByWasm(
  bytes: Uint8Array,
  format: PixelFormat,
  codec: 'jpeg-ls' | 'jpeg-2000' | 'htj2k' | 'jpeg-xl',
): Promise<Coded> {
  const codedAsYbr = format.photometricInterpretation.startsWith('YBR_FULL')
  if (codec === 'jpeg-ls' || codec === 'jpeg-xl') {
    const image = await decodeWithWasm(codec, bytes)
    // JPEG XL gives RGB whatever it holds inside.
    return { ...image, colour: codec === 'jpeg-ls' && codedAsYbr ? 'ybr' : 'rgb', signInHighestCodedBit: false }
  }
  const header = readCodestreamHeader(bytes)
  checkAgainstHeader(header, format)
  const image = await decodeWithWasm(codec, bytes)
  if (image.precision !== header.precision || image.signed !== header.signed)
    throw undecodable('the codec disagrees with the codestream about its samples.')
  if (image.signed && !format.signed && hasNegative(image.samples))
    throw undecodable('the data holds negative values where the header says there are none.')
  return { ...image, colour: codedAsYbr && !header.colourTransform ? 'ybr' : 'rgb', signInHighestCodedBit: true }
}

function hasNegative(samples: Uint8Array | Uint16Array): boolean {
  const sign = samples.BYTES_PER_ELEMENT === 1 ? 0x80 : 0x8000
  return samples.some((value) => (value & sign) !== 0)
}

function checkAgainstHeader(image: { width: number; height: number; components: number }, format: PixelFormat): void {
  if (image.width !== format.columns || image.height !== format.rows || image.components !== format.samplesPerPixel)
    throw undecodable(
      `the data is ${image.width}×${image.height} with ${image.components} components; the header says ${format.columns}×${format.rows} with ${format.samplesPerPixel}.`,
    )
}

/** Coded samples in the array the header asks for, sign extended from the last coded (or stored) bit. */
function fitToHeader(coded: Coded, format: PixelFormat): PixelArray {
  checkAgainstHeader(coded, format)
  const allocated = format.bitsAllocated === 1 ? 8 : format.bitsAllocated
  if (coded.precision > allocated || allocated > 32 || format.float)
    throw undecodable(
      `the data has ${coded.precision} bits a sample, which does not fit the header's ${format.bitsAllocated} allocated bits.`,
    )
  const planes = coded.planar && coded.components > 1 ? interleaved(coded.samples, coded.components) : coded.samples
  const samples = keepStoredBits(widen(planes, allocated, coded), storedBits(coded, format))
  if (coded.colour === 'ybr') ybrFullToRgb(samples, coded.precision)
  return samples
}

function storedBits(coded: Coded, format: PixelFormat): Pick<PixelFormat, 'bitsStored' | 'highBit' | 'signed'> {
  const { signed } = format
  if (coded.signInHighestCodedBit || format.bitsAllocated === 1)
    return { bitsStored: coded.precision, highBit: coded.precision - 1, signed }
  // More bits coded than stored: what lies above is not image (PS3.5 section 8.1.1).
  const highBit = coded.precision > format.bitsStored ? Math.min(format.highBit, coded.precision - 1) : 0
  return { bitsStored: format.bitsStored, highBit: Math.max(highBit, format.bitsStored - 1), signed }
}

function widen(
  samples: Uint8Array | Uint16Array,
  allocated: 8 | 16 | 32 | 64,
  coded: Coded,
): Uint8Array | Uint16Array | Uint32Array {
  if (samples.BYTES_PER_ELEMENT * 8 === allocated) return samples
  // Bits above the precision are removed or sign-extended afterwards, so the plain value is enough.
  const mask = 2 ** coded.precision - 1
  const out =
    allocated === 32
      ? new Uint32Array(samples.length)
      : allocated === 16
        ? new Uint16Array(samples.length)
        : new Uint8Array(samples.length)
  for (let k = 0; k < samples.length; k++) out[k] = samples[k]! & mask
  return out
}

function toRgb(pixels: PixelArray, format: PixelFormat): PixelArray {
  if (format.samplesPerPixel !== 3 || pixels instanceof Float32Array || pixels instanceof Float64Array) return pixels
  const samples: IntegerArray = pixels
  switch (format.photometricInterpretation) {
    case 'RGB':
    // Names of what a codec does inside; elsewhere they can only be a slip for plain RGB.
    case 'YBR_RCT':
    case 'YBR_ICT':
      return samples
    case 'YBR_FULL':
    case 'YBR_FULL_422':
      ybrFullToRgb(samples, format.bitsStored)
      return samples
    case 'YBR_PARTIAL_422':
    case 'YBR_PARTIAL_420':
      ybrPartialToRgb(samples)
      return samples
    default:
      throw undecodable(`colours in ${format.photometricInterpretation} are not supported.`)
  }
}
