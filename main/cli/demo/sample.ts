import { applyAffine, invertAffine, type Vector3 } from '../../inference/geometry/affine.ts'
import type { Grid } from '../../inference/geometry/grid.ts'

/** Value at a place in the patient (LPS, mm); null outside. */
export type Sampler = (lps: Vector3) => number | null

/** Trilinear between voxel centres. */
export function linearSampler(grid: Grid, data: Float32Array): Sampler {
  const [nx, ny, nz] = grid.size
  const toVoxel = invertAffine(grid.toLps)
  const at = (x: number, y: number, z: number): number => data[(z * ny + y) * nx + x]!
  return (lps) => {
    const [x, y, z] = applyAffine(toVoxel, lps)
    if (x < -0.5 || y < -0.5 || z < -0.5 || x > nx - 0.5 || y > ny - 0.5 || z > nz - 0.5) return null
    const base = [x, y, z].map(Math.floor)
    const part = [x - base[0]!, y - base[1]!, z - base[2]!]
    let sum = 0
    for (let corner = 0; corner < 8; corner++) {
      const [dx, dy, dz] = [corner & 1, (corner >> 1) & 1, corner >> 2]
      const weight =
        (dx === 1 ? part[0]! : 1 - part[0]!) *
        (dy === 1 ? part[1]! : 1 - part[1]!) *
        (dz === 1 ? part[2]! : 1 - part[2]!)
      if (weight === 0) continue
      const clamp = (value: number, size: number): number => Math.max(0, Math.min(size - 1, value))
      sum += weight * at(clamp(base[0]! + dx, nx), clamp(base[1]! + dy, ny), clamp(base[2]! + dz, nz))
    }
    return sum
  }
}

/** The voxel a place lies in. */
export function nearestSampler(grid: Grid, data: Uint8Array): Sampler {
  const [nx, ny, nz] = grid.size
  const toVoxel = invertAffine(grid.toLps)
  return (lps) => {
    const [x, y, z] = applyAffine(toVoxel, lps).map(Math.round) as [number, number, number]
    if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) return null
    return data[(z * ny + y) * nx + x]!
  }
}
