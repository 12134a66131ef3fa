import { add, cross, dot, length, normalize, scale, sub, type Vec3 } from './vector.ts'
import { indexToWorld, type VolumeGeometry, worldToIndex } from './volume-geometry.ts'

/** Calibrated values on a regular grid: a whole volume, or one image as a grid one slice deep. */
export interface ValueGrid {
  geometry: VolumeGeometry
  /** Values of voxel (i, j, k) at i + j·columns + k·columns·rows. */
  values: ArrayLike<number>
}

/** A flat ellipse or rectangle in space: centre and two half axes, perpendicular, LPS mm. */
export interface FlatRegion {
  shape: 'ellipse' | 'rectangle'
  centre: Vec3
  halfU: Vec3
  halfV: Vec3
}

export interface RegionStatistics {
  count: number
  mean: number
  /** Standard deviation of the population (divided by n). */
  sd: number
  min: number
  max: number
  areaMm2: number
}

/**
 * Statistics over the voxels whose centres lie in the region, on the one slice (or oblique sheet one voxel thick)
 * that the region lies in. `count` is 0, and the rest NaN, when no voxel centre lies inside.
 */
export function regionStatistics(grid: ValueGrid, region: FlatRegion): RegionStatistics {
  const { geometry, values } = grid
  const { centre, halfU, halfV } = region
  const a = length(halfU)
  const b = length(halfV)
  const u = normalize(halfU)
  const v = normalize(halfV)
  const normal = normalize(cross(u, v))
  const thickness = geometry.axes.reduce(
    (sum, axis, at) => sum + Math.abs(dot(axis, normal)) * geometry.spacingMm[at]!,
    0,
  )
  const corners = [-1, 1].flatMap((s) =>
    [-1, 1].flatMap((t) =>
      [-0.5, 0.5].map((w) =>
        worldToIndex(geometry, add(centre, add(scale(halfU, s), add(scale(halfV, t), scale(normal, w * thickness))))),
      ),
    ),
  )
  const range = (axis: number): [number, number] => {
    const along = corners.map((corner) => corner[axis]!)
    const limit = geometry.dimensions[axis]! - 1
    return [Math.max(0, Math.ceil(Math.min(...along) - 1e-6)), Math.min(limit, Math.floor(Math.max(...along) + 1e-6))]
  }
  const [iFrom, iTo] = range(0)
  const [jFrom, jTo] = range(1)
  const [kFrom, kTo] = range(2)
  const [columns, rows] = geometry.dimensions
  let count = 0
  let mean = 0
  let squares = 0
  let min = Infinity
  let max = -Infinity
  for (let k = kFrom; k <= kTo; k++)
    for (let j = jFrom; j <= jTo; j++)
      for (let i = iFrom; i <= iTo; i++) {
        const from = sub(indexToWorld(geometry, [i, j, k]), centre)
        const height = dot(from, normal)
        // Half open, so that a region exactly between two slices takes one of them.
        if (height <= -thickness / 2 + 1e-6 || height > thickness / 2 + 1e-6) continue
        const x = dot(from, u) / a
        const y = dot(from, v) / b
        const inside =
          region.shape === 'ellipse' ? x * x + y * y <= 1 + 1e-9 : Math.abs(x) <= 1 + 1e-9 && Math.abs(y) <= 1 + 1e-9
        if (!inside) continue
        const value = values[i + columns * (j + rows * k)]!
        count++
        const delta = value - mean
        mean += delta / count
        squares += delta * (value - mean)
        if (value < min) min = value
        if (value > max) max = value
      }
  const areaMm2 = region.shape === 'ellipse' ? Math.PI * a * b : 4 * a * b
  if (count === 0) return { count, mean: NaN, sd: NaN, min: NaN, max: NaN, areaMm2 }
  return { count, mean, sd: Math.sqrt(squares / count), min, max, areaMm2 }
}

/** Region of cornerstone's four ellipse handles: bottom, top, left, right. */
export function ellipseOfHandles(points: readonly Vec3[]): FlatRegion | null {
  const [bottom, top, left, right] = points
  if (bottom === undefined || top === undefined || left === undefined || right === undefined) return null
  return {
    shape: 'ellipse',
    centre: scale(add(left, right), 0.5),
    halfU: scale(sub(right, left), 0.5),
    halfV: scale(sub(top, bottom), 0.5),
  }
}

/** Region of cornerstone's four rectangle handles: two neighbours of the first corner, then its opposite. */
export function rectangleOfHandles(points: readonly Vec3[]): FlatRegion | null {
  const [first, alongU, alongV, opposite] = points
  if (first === undefined || alongU === undefined || alongV === undefined || opposite === undefined) return null
  return {
    shape: 'rectangle',
    centre: scale(add(first, opposite), 0.5),
    halfU: scale(sub(alongU, first), 0.5),
    halfV: scale(sub(alongV, first), 0.5),
  }
}

/** Angle at the middle of three points, degrees 0–180. */
export function angleDegrees(a: Vec3, vertex: Vec3, b: Vec3): number {
  const cosine = dot(normalize(sub(a, vertex)), normalize(sub(b, vertex)))
  return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI
}
