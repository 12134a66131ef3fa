import { applyAffine, affineColumn, type Vector3 } from '../geometry/affine.ts'
import { AXES, axesByLps, spacingOf, voxelVolumeMl, type Axis, type Grid } from '../geometry/grid.ts'
import { forEachRun, type Region } from './components.ts'

export interface RegionMeasurements {
  voxels: number
  volumeMl: number
  /** Voxel index of the region's voxel nearest its centre of mass. */
  centreVoxel: [number, number, number]
  centreLps: [number, number, number]
  /** Lowest and highest voxel index on each axis. */
  bounds: { low: [number, number, number]; high: [number, number, number] }
  longestAxialDiameterMm: number
  /** Of the source's own values. `sd` is the population's (divided by n). */
  max: number
  mean: number
  sd: number
  meanProbability: number
}

/** Everything a finding says about a region, measured on the source voxels, never on resampled ones. */
export function measureRegion(
  region: Region,
  grid: Grid,
  values: Float32Array,
  probability: Float32Array,
): RegionMeasurements {
  const [nx, ny] = grid.size
  const { voxels } = region
  const low: [number, number, number] = [Infinity, Infinity, Infinity]
  const high: [number, number, number] = [-Infinity, -Infinity, -Infinity]
  const sum = [0, 0, 0]
  let [max, total, probabilityTotal] = [-Infinity, 0, 0]
  forEachRun(region, ny, (z, y, first, end) => {
    const row = (z * ny + y) * nx
    for (let x = first; x < end; x++) {
      const value = values[row + x]!
      if (value > max) max = value
      total += value
      probabilityTotal += probability[row + x]!
    }
    const count = end - first
    sum[0]! += ((first + end - 1) / 2) * count
    sum[1]! += y * count
    sum[2]! += z * count
    const ends: [number, number][] = [
      [first, end - 1],
      [y, y],
      [z, z],
    ]
    for (const axis of AXES) {
      low[axis] = Math.min(low[axis], ends[axis]![0])
      high[axis] = Math.max(high[axis], ends[axis]![1])
    }
  })
  const mean = total / voxels
  let squares = 0
  forEachRun(region, ny, (z, y, first, end) => {
    const row = (z * ny + y) * nx
    for (let x = first; x < end; x++) squares += (values[row + x]! - mean) ** 2
  })
  const centreVoxel = nearestVoxel(region, grid, sum.map((s) => s / voxels) as [number, number, number])
  return {
    voxels,
    volumeMl: voxels * voxelVolumeMl(grid),
    centreVoxel,
    centreLps: applyAffine(grid.toLps, centreVoxel),
    bounds: { low, high },
    longestAxialDiameterMm: longestAxialDiameter(region, grid),
    max,
    mean,
    sd: Math.sqrt(squares / voxels),
    meanProbability: Math.min(1, Math.max(0, probabilityTotal / voxels)),
  }
}

/** The region's voxel closest (in mm) to a fractional voxel position: a ring's centre of mass is not in the ring. */
function nearestVoxel(region: Region, grid: Grid, centre: Vector3): [number, number, number] {
  let best: [number, number, number] = [0, 0, 0]
  let bestDistance = Infinity
  const columns = AXES.map((axis) => affineColumn(grid.toLps, axis))
  const [cx, cy, cz] = centre
  forEachRun(region, grid.size[1], (z, y, first, end) => {
    for (let x = first; x < end; x++) {
      let distance = 0
      for (let lps = 0; lps < 3; lps++)
        distance += ((x - cx) * columns[0]![lps]! + (y - cy) * columns[1]![lps]! + (z - cz) * columns[2]![lps]!) ** 2
      if (distance < bestDistance) {
        bestDistance = distance
        best = [x, y, z]
      }
    }
  })
  return best
}

type Point = readonly [number, number]

/** Convex hull, counter-clockwise (Andrew's monotone chain). */
function convexHull(points: Point[]): Point[] {
  const sorted = points.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])
  const turn = (o: Point, a: Point, b: Point): number => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
  const half = (list: Point[]): Point[] => {
    const chain: Point[] = []
    for (const point of list) {
      while (chain.length >= 2 && turn(chain.at(-2)!, chain.at(-1)!, point) <= 0) chain.pop()
      chain.push(point)
    }
    return chain.slice(0, -1)
  }
  return sorted.length < 3 ? sorted : [...half(sorted), ...half(sorted.toReversed())]
}

/**
 * Longest distance across the region within one axial slice, mm. Slices run along the grid axis closest to the
 * patient's long axis. The outline passes half a voxel beyond the outermost voxel centres along rows and columns
 * (the contour marching squares would draw), so a single 4 mm voxel measures 4 mm.
 */
export function longestAxialDiameter(region: Region, grid: Grid): number {
  const slice = axesByLps(grid)[2]
  const [u, v] = AXES.filter((axis) => axis !== slice) as [Axis, Axis]
  const [spacingU, spacingV] = [spacingOf(grid)[u], spacingOf(grid)[v]]
  // In-plane axes may be skewed by a hair; the angle between them enters the distance.
  const [columnU, columnV] = [affineColumn(grid.toLps, u), affineColumn(grid.toLps, v)]
  const skew = columnU.reduce((dot, component, i) => dot + component * columnV[i]!, 0) / (spacingU * spacingV)
  const outlines = new Map<number, Point[]>()
  const add = (voxel: readonly number[]): void => {
    const at = voxel[slice]!
    const points = outlines.get(at) ?? []
    if (points.length === 0) outlines.set(at, points)
    const [a, b] = [voxel[u]!, voxel[v]!]
    points.push([a - 0.5, b], [a + 0.5, b], [a, b - 0.5], [a, b + 0.5])
  }
  forEachRun(region, grid.size[1], (z, y, first, end) => {
    if (slice === 0) for (let x = first; x < end; x++) add([x, y, z])
    else {
      // Of a run that lies in the slice, only the ends can be on the hull.
      add([first, y, z])
      if (end - 1 > first) add([end - 1, y, z])
    }
  })
  let longest = 0
  for (const points of outlines.values()) {
    const hull = convexHull(points)
    for (let i = 0; i < hull.length; i++)
      for (let j = i + 1; j < hull.length; j++) {
        const du = (hull[i]![0] - hull[j]![0]) * spacingU
        const dv = (hull[i]![1] - hull[j]![1]) * spacingV
        longest = Math.max(longest, du * du + dv * dv + 2 * du * dv * skew)
      }
  }
  return Math.sqrt(longest)
}
