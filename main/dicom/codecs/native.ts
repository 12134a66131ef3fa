import type { PixelArray, PixelFormat } from '../types.ts'
import { undecodable } from './undecodable.ts'

export type IntegerArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Samples of one frame as the header counts them; 4:2:2 chroma shares two samples between two pixels. */
function codedSamples(format: PixelFormat): number {
  const pixels = format.rows * format.columns
  return isChroma422(format) ? pixels * 2 : pixels * format.samplesPerPixel
}

function isChroma422(format: PixelFormat): boolean {
  const { photometricInterpretation: meaning } = format
  return format.samplesPerPixel === 3 && (meaning === 'YBR_FULL_422' || meaning === 'YBR_PARTIAL_422')
}

/** Bytes of one frame without compression, a last partly used byte of a 1-bit frame included. */
export function nativeFrameBytes(format: PixelFormat): number {
  return Math.ceil((codedSamples(format) * format.bitsAllocated) / 8)
}

/**
 * Uncompressed samples (PS3.5 section 8.1.1) with every bit outside Bits Stored removed and signs extended, planes
 * interleaved, 4:2:2 chroma repeated for both pixels.
 * @throws AlcoveError dicom/undecodable-pixels when there are fewer bytes than the frame needs
 */
export function nativeSamples(bytes: Uint8Array, format: PixelFormat, littleEndian: boolean): PixelArray {
  // Many writers say 4:2:2 and store every chroma sample all the same.
  const full = format.rows * format.columns * format.samplesPerPixel
  const chroma422 = isChroma422(format) && bytes.length < (full * format.bitsAllocated) / 8
  const count = chroma422 ? codedSamples(format) : full
  const needed = Math.ceil((count * format.bitsAllocated) / 8)
  if (bytes.length < needed) throw undecodable(`the frame holds ${bytes.length} bytes where ${needed} are needed.`)
  if (format.bitsAllocated === 1) return unpackBits(bytes, count)
  // A copy with a buffer of its own (Buffer.slice would only be another view).
  const own = new Uint8Array(bytes.subarray(0, needed))
  if (littleEndian !== hostIsLittleEndian) swapBytes(own, format.bitsAllocated / 8)
  if (format.float) return format.bitsAllocated === 64 ? new Float64Array(own.buffer) : new Float32Array(own.buffer)
  const samples = keepStoredBits(unsignedView(own, format.bitsAllocated), format)
  if (chroma422) return spread422(samples, format.rows * format.columns)
  return format.samplesPerPixel > 1 && format.planarConfiguration === 1
    ? interleaved(samples, format.samplesPerPixel)
    : samples
}

/** Least significant bit first (PS3.5 section 8.1.1). */
function unpackBits(bytes: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(count)
  for (let k = 0; k < count; k++) out[k] = (bytes[k >> 3]! >> (k & 7)) & 1
  return out
}

function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (size === 2) buffer.swap16()
  else if (size === 4) buffer.swap32()
  else if (size === 8) buffer.swap64()
}

/** @param bytes with a buffer of their own, beginning at its start, in this machine's byte order */
function unsignedView(bytes: Uint8Array, bitsAllocated: number): Uint8Array | Uint16Array | Uint32Array {
  if (bitsAllocated === 8) return bytes
  if (bitsAllocated === 16) return new Uint16Array(bytes.buffer)
  if (bitsAllocated === 32) return new Uint32Array(bytes.buffer)
  throw undecodable(`integer samples of ${bitsAllocated} bits are not supported.`)
}

/** Moves the stored bits down from High Bit and extends the sign; in place where the array has its right kind already. */
export function keepStoredBits(
  samples: Uint8Array | Uint16Array | Uint32Array,
  { bitsStored, highBit, signed }: Pick<PixelFormat, 'bitsStored' | 'highBit' | 'signed'>,
): IntegerArray {
  const out = signed ? signedView(samples) : samples
  const whole = bitsStored === samples.BYTES_PER_ELEMENT * 8
  if (whole) return out
  if (signed) {
    const up = 31 - highBit
    const down = 32 - bitsStored
    for (let k = 0; k < out.length; k++) out[k] = (out[k]! << up) >> down
  } else {
    const down = highBit + 1 - bitsStored
    const mask = bitsStored === 32 ? 0xffffffff : 2 ** bitsStored - 1
    for (let k = 0; k < out.length; k++) out[k] = (out[k]! >>> down) & mask
  }
  return out
}

function signedView(samples: Uint8Array | Uint16Array | Uint32Array): Int8Array | Int16Array | Int32Array {
  const { buffer, byteOffset, length } = samples
  if (samples.BYTES_PER_ELEMENT === 1) return new Int8Array(buffer, byteOffset, length)
  if (samples.BYTES_PER_ELEMENT === 2) return new Int16Array(buffer, byteOffset, length)
  return new Int32Array(buffer, byteOffset, length)
}

/** Planar Configuration 1 (all of one colour, then the next) to 0. */
export function interleaved<Samples extends IntegerArray>(planes: Samples, samplesPerPixel: number): Samples {
  const out = planes.slice() as Samples
  const pixels = planes.length / samplesPerPixel
  for (let sample = 0; sample < samplesPerPixel; sample++) {
    const from = sample * pixels
    for (let k = 0, to = sample; k < pixels; k++, to += samplesPerPixel) out[to] = planes[from + k]!
  }
  return out
}

/** Y1 Y2 Cb Cr of two pixels to Y Cb Cr of each (PS3.3 C.7.6.3.1.2, YBR_FULL_422). */
function spread422(samples: IntegerArray, pixels: number): IntegerArray {
  const out = new (samples.constructor as new (length: number) => IntegerArray)(pixels * 3)
  for (let k = 0; k < pixels; k++) {
    const pair = (k >> 1) * 4
    out[k * 3] = samples[pair + (k & 1)]!
    out[k * 3 + 1] = samples[pair + 2]!
    out[k * 3 + 2] = samples[pair + 3]!
  }
  return out
}
