import type { IntegerArray } from './native.ts'

/** What full-range YCbCr of ITU-R BT.601 becomes, with the 16-bit fixed-point arithmetic of the JPEG libraries. */
const HALF = 1 << 15
const CR_RED = 91881
const CB_BLUE = 116130
const CR_GREEN = 46802
const CB_GREEN = 22554

/**
 * YBR_FULL, YBR_FULL_422 (already at full size) to RGB in place: PS3.3 C.7.6.3.1.2.
 * @param precision bits of a sample; the chroma zero is half of its range
 */
export function ybrFullToRgb(samples: IntegerArray, precision: number): void {
  const centre = 2 ** (precision - 1)
  const maximum = 2 ** precision - 1
  if (precision > 14) {
    ybrToRgbInFloat(samples, maximum, {
      centre,
      black: 0,
      luma: 1,
      red: 1.402,
      greenB: 0.344136,
      greenR: 0.714136,
      blue: 1.772,
    })
    return
  }
  for (let k = 0; k + 2 < samples.length; k += 3) {
    const y = samples[k]!
    const cb = samples[k + 1]! - centre
    const cr = samples[k + 2]! - centre
    samples[k] = clamp(y + ((CR_RED * cr + HALF) >> 16), maximum)
    samples[k + 1] = clamp(y + ((HALF - CB_GREEN * cb - CR_GREEN * cr) >> 16), maximum)
    samples[k + 2] = clamp(y + ((CB_BLUE * cb + HALF) >> 16), maximum)
  }
}

/** YBR_PARTIAL_422 and _420 (studio range) to RGB in place: the inverse of PS3.3 C.7.6.3.1.2. 8 bits a sample. */
export function ybrPartialToRgb(samples: IntegerArray): void {
  ybrToRgbInFloat(samples, 255, {
    centre: 128,
    black: 16,
    luma: 1.1644,
    red: 1.596,
    greenB: 0.3917,
    greenR: 0.8129,
    blue: 2.0173,
  })
}

interface Matrix {
  centre: number
  black: number
  luma: number
  red: number
  greenB: number
  greenR: number
  blue: number
}

function ybrToRgbInFloat(samples: IntegerArray, maximum: number, matrix: Matrix): void {
  for (let k = 0; k + 2 < samples.length; k += 3) {
    const y = (samples[k]! - matrix.black) * matrix.luma
    const cb = samples[k + 1]! - matrix.centre
    const cr = samples[k + 2]! - matrix.centre
    samples[k] = clamp(Math.round(y + matrix.red * cr), maximum)
    samples[k + 1] = clamp(Math.round(y - matrix.greenB * cb - matrix.greenR * cr), maximum)
    samples[k + 2] = clamp(Math.round(y + matrix.blue * cb), maximum)
  }
}

function clamp(value: number, maximum: number): number {
  return value < 0 ? 0 : value > maximum ? maximum : value
}
