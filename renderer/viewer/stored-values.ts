import type { FrameInfo } from './frames-of-series.ts'

export type VoxelArray = Int16Array | Uint8Array | Uint16Array | Float32Array
export type VoxelType = 'Int16Array' | 'Uint8Array' | 'Uint16Array' | 'Float32Array'

/** Smallest and largest value that fits the stored bits, after rescale. */
function reach(frame: FrameInfo): [number, number] {
  const low = frame.signed ? -(2 ** (frame.bitsStored - 1)) : 0
  const high = frame.signed ? 2 ** (frame.bitsStored - 1) - 1 : 2 ** frame.bitsStored - 1
  const ends = [low * frame.slope + frame.intercept, high * frame.slope + frame.intercept]
  return [Math.min(...ends), Math.max(...ends)]
}

/** The smallest array type that holds every calibrated value exactly; fractions need float32. */
export function voxelTypeFor(frames: FrameInfo[]): VoxelType {
  const whole = frames.every(
    (frame) => !frame.float && Number.isInteger(frame.slope) && Number.isInteger(frame.intercept),
  )
  if (!whole) return 'Float32Array'
  const ends = frames.map((frame) => reach(frame))
  const low = Math.min(...ends.map(([value]) => value))
  const high = Math.max(...ends.map(([, value]) => value))
  if (low >= 0 && high <= 255) return 'Uint8Array'
  if (low >= -32_768 && high <= 32_767) return 'Int16Array'
  if (low >= 0 && high <= 65_535) return 'Uint16Array'
  return 'Float32Array'
}

export function allocateVoxels(type: VoxelType, length: number): VoxelArray {
  switch (type) {
    case 'Uint8Array':
      return new Uint8Array(length)
    case 'Int16Array':
      return new Int16Array(length)
    case 'Uint16Array':
      return new Uint16Array(length)
    case 'Float32Array':
      return new Float32Array(length)
  }
}

/** Native little-endian pixel bytes as numbers as stored, unused bits not yet removed. */
function nativeArray(bytes: Uint8Array, frame: FrameInfo): ArrayLike<number> {
  const pixels = frame.rows * frame.columns
  if (frame.bitsAllocated === 8) return frame.signed ? new Int8Array(bytes.buffer, bytes.byteOffset, pixels) : bytes
  if (frame.bitsAllocated === 1) {
    const bits = new Uint8Array(pixels)
    for (let index = 0; index < pixels; index++) bits[index] = (bytes[index >> 3]! >> (index & 7)) & 1
    return bits
  }
  const width = frame.bitsAllocated / 8
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice()
  const { buffer, byteOffset } = aligned
  if (frame.float) return new Float32Array(buffer, byteOffset, pixels)
  if (frame.bitsAllocated === 32)
    return frame.signed ? new Int32Array(buffer, byteOffset, pixels) : new Uint32Array(buffer, byteOffset, pixels)
  return frame.signed ? new Int16Array(buffer, byteOffset, pixels) : new Uint16Array(buffer, byteOffset, pixels)
}

/**
 * The common case in a loop of its own, so that it compiles for these two array types alone: unsigned 16-bit stored
 * values (CT) into int16. A third of the time of the general loop.
 */
function calibrateUnsigned16(source: Uint16Array, target: Int16Array, mask: number, slope: number, intercept: number) {
  let min = 32_767
  let max = -32_768
  for (let index = 0; index < target.length; index++) {
    const value = (source[index]! & mask) * slope + intercept
    target[index] = value
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min, max }
}

function calibrateSigned16(source: Int16Array, target: Int16Array, lift: number, slope: number, intercept: number) {
  let min = 32_767
  let max = -32_768
  for (let index = 0; index < target.length; index++) {
    const value = ((source[index]! << lift) >> lift) * slope + intercept
    target[index] = value
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min, max }
}

/**
 * Writes calibrated values of one frame into `target` and returns their range. Bits outside Bits Stored are removed
 * and the sign is extended (PS3.5 section 8.1.1). `stored` are native bytes, or numbers a codec has decoded.
 */
export function calibrate(
  stored: Uint8Array | ArrayLike<number>,
  frame: FrameInfo,
  target: VoxelArray,
  decoded: boolean,
): { min: number; max: number } {
  const source = decoded ? stored : nativeArray(stored as Uint8Array, frame)
  const { slope, intercept, bitsStored, bitsAllocated } = frame
  const pixels = target.length
  if (source.length < pixels) throw new RangeError('The frame holds fewer pixels than its header says.')
  const shift = !decoded && !frame.float && bitsAllocated > 1 ? frame.highBit - (bitsStored - 1) : 0
  const masked = !frame.float && !decoded && bitsAllocated > 1 && bitsAllocated <= 32 && bitsStored < bitsAllocated
  const lift = 32 - bitsStored
  if (shift === 0 && !decoded && target instanceof Int16Array) {
    if (source instanceof Uint16Array) return calibrateUnsigned16(source, target, 2 ** bitsStored - 1, slope, intercept)
    if (source instanceof Int16Array) return calibrateSigned16(source, target, 32 - bitsStored, slope, intercept)
  }
  let min = Infinity
  let max = -Infinity
  for (let index = 0; index < pixels; index++) {
    let value = source[index]!
    if (masked) value = frame.signed ? ((value >> shift) << lift) >> lift : ((value >>> shift) << lift) >>> lift
    value = value * slope + intercept
    target[index] = value
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min, max }
}
