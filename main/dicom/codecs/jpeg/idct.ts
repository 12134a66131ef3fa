/**
 * The accurate integer inverse DCT of the Independent JPEG Group (Loeffler, Ligtenberg, Moschytz 1989), chosen so that
 * pixels equal those of DCMTK and GDCM, which use the same arithmetic.
 */
const CONST_BITS = 13
const workspace = new Int32Array(64)

/**
 * One 8×8 block, dequantised, into `out` at `offset` with `stride` samples a row, clamped to `precision` bits.
 * @param coefficients in natural (not zigzag) order from `first`
 * @param precision 8 or 12
 */
export function inverseDct(
  coefficients: Int16Array,
  first: number,
  quantisation: Int32Array,
  out: Uint8Array | Uint16Array,
  offset: number,
  stride: number,
  precision: number,
): void {
  const pass1Bits = precision > 8 ? 1 : 2
  const shift1 = CONST_BITS - pass1Bits
  const round1 = 1 << (shift1 - 1)
  for (let column = 0; column < 8; column++) {
    const at = first + column
    const c1 = coefficients[at + 8]!
    const c2 = coefficients[at + 16]!
    const c3 = coefficients[at + 24]!
    const c4 = coefficients[at + 32]!
    const c5 = coefficients[at + 40]!
    const c6 = coefficients[at + 48]!
    const c7 = coefficients[at + 56]!
    const in0 = coefficients[at]! * quantisation[column]!
    if ((c1 | c2 | c3 | c4 | c5 | c6 | c7) === 0) {
      const flat = in0 << pass1Bits
      for (let row = 0; row < 64; row += 8) workspace[column + row] = flat
      continue
    }
    let z2 = c2 * quantisation[column + 16]!
    let z3 = c6 * quantisation[column + 48]!
    let z1 = Math.imul(z2 + z3, 4433)
    let t2 = z1 + Math.imul(z3, -15137)
    let t3 = z1 + Math.imul(z2, 6270)
    const in4 = c4 * quantisation[column + 32]!
    let t0 = (in0 + in4) << CONST_BITS
    let t1 = (in0 - in4) << CONST_BITS
    const t10 = t0 + t3 + round1
    const t13 = t0 - t3 + round1
    const t11 = t1 + t2 + round1
    const t12 = t1 - t2 + round1
    t0 = c7 * quantisation[column + 56]!
    t1 = c5 * quantisation[column + 40]!
    t2 = c3 * quantisation[column + 24]!
    t3 = c1 * quantisation[column + 8]!
    z1 = t0 + t3
    z2 = t1 + t2
    z3 = t0 + t2
    let z4 = t1 + t3
    const z5 = Math.imul(z3 + z4, 9633)
    z1 = Math.imul(z1, -7373)
    z2 = Math.imul(z2, -20995)
    z3 = Math.imul(z3, -16069) + z5
    z4 = Math.imul(z4, -3196) + z5
    t0 = Math.imul(t0, 2446) + z1 + z3
    t1 = Math.imul(t1, 16819) + z2 + z4
    t2 = Math.imul(t2, 25172) + z2 + z3
    t3 = Math.imul(t3, 12299) + z1 + z4
    workspace[column] = (t10 + t3) >> shift1
    workspace[column + 56] = (t10 - t3) >> shift1
    workspace[column + 8] = (t11 + t2) >> shift1
    workspace[column + 48] = (t11 - t2) >> shift1
    workspace[column + 16] = (t12 + t1) >> shift1
    workspace[column + 40] = (t12 - t1) >> shift1
    workspace[column + 24] = (t13 + t0) >> shift1
    workspace[column + 32] = (t13 - t0) >> shift1
  }

  const shift2 = CONST_BITS + pass1Bits + 3
  const maximum = (1 << precision) - 1
  const round = 1 << (shift2 - 1)
  // Level shift of T.81 A.3.1.
  const centre = 1 << (precision - 1)
  for (let row = 0; row < 8; row++) {
    const at = row * 8
    let z2 = workspace[at + 2]!
    let z3 = workspace[at + 6]!
    let z1 = Math.imul(z2 + z3, 4433)
    let t2 = z1 + Math.imul(z3, -15137)
    let t3 = z1 + Math.imul(z2, 6270)
    const in0 = workspace[at]!
    const in4 = workspace[at + 4]!
    let t0 = (in0 + in4) << CONST_BITS
    let t1 = (in0 - in4) << CONST_BITS
    const t10 = t0 + t3
    const t13 = t0 - t3
    const t11 = t1 + t2
    const t12 = t1 - t2
    t0 = workspace[at + 7]!
    t1 = workspace[at + 5]!
    t2 = workspace[at + 3]!
    t3 = workspace[at + 1]!
    z1 = t0 + t3
    z2 = t1 + t2
    z3 = t0 + t2
    let z4 = t1 + t3
    const z5 = Math.imul(z3 + z4, 9633)
    z1 = Math.imul(z1, -7373)
    z2 = Math.imul(z2, -20995)
    z3 = Math.imul(z3, -16069) + z5
    z4 = Math.imul(z4, -3196) + z5
    t0 = Math.imul(t0, 2446) + z1 + z3
    t1 = Math.imul(t1, 16819) + z2 + z4
    t2 = Math.imul(t2, 25172) + z2 + z3
    t3 = Math.imul(t3, 12299) + z1 + z4
    const to = offset + row * stride
    out[to] = clamp(((t10 + t3 + round) >> shift2) + centre, maximum)
    out[to + 7] = clamp(((t10 - t3 + round) >> shift2) + centre, maximum)
    out[to + 1] = clamp(((t11 + t2 + round) >> shift2) + centre, maximum)
    out[to + 6] = clamp(((t11 - t2 + round) >> shift2) + centre, maximum)
    out[to + 2] = clamp(((t12 + t1 + round) >> shift2) + centre, maximum)
    out[to + 5] = clamp(((t12 - t1 + round) >> shift2) + centre, maximum)
    out[to + 3] = clamp(((t13 + t0 + round) >> shift2) + centre, maximum)
    out[to + 4] = clamp(((t13 - t0 + round) >> shift2) + centre, maximum)
  }
}

function clamp(value: number, maximum: number): number {
  return value < 0 ? 0 : value > maximum ? maximum : value
}
