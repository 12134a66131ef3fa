import { type Affine, applyAffine } from '../../inference/geometry/affine.ts'
import type { Grid } from '../../inference/geometry/grid.ts'
import type { Volume } from '../../dicom/volume/types.ts'

/** 2·|A∩B| / (|A|+|B|); null when both are empty. */
export function dice(a: Uint8Array, b: Uint8Array): number | null {
  let both = 0
  let sum = 0
  for (let index = 0; index < a.length; index++) {
    const inA = a[index]! > 0 ? 1 : 0
    const inB = b[index]! > 0 ? 1 : 0
    both += inA & inB
    sum += inA + inB
  }
  return sum === 0 ? null : (2 * both) / sum
}

/** The volume's affine (16 numbers, row by row) as inference's geometry takes it. */
export function gridOf(volume: Volume): Grid {
  return { size: volume.shape, toLps: volume.affine.slice(0, 12) as unknown as Affine }
}

/** Middle of a grid, LPS, mm. */
export function middleOf({ size, toLps }: Grid): [number, number, number] {
  return applyAffine(toLps, [(size[0] - 1) / 2, (size[1] - 1) / 2, (size[2] - 1) / 2])
}
