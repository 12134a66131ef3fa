import {
  affineColumn,
  affineFromColumns,
  applyAffine,
  determinant,
  length3,
  type Affine,
  type Vector3,
} from './affine.ts'

export type Size3 = readonly [x: number, y: number, z: number]
export type Axis = 0 | 1 | 2
export const AXES: readonly Axis[] = [0, 1, 2]

export function map3<T>(f: (axis: Axis) => T): [T, T, T] {
  return [f(0), f(1), f(2)]
}

/** A regular grid of voxels. Data on it lies x fastest, then y, then z. */
export interface Grid {
  size: Size3
  toLps: Affine
}

export function voxelCount({ size }: Grid): number {
  return size[0] * size[1] * size[2]
}

/** mm between voxel centres along x, y, z. */
export function spacingOf({ toLps }: Grid): [number, number, number] {
  return [length3(affineColumn(toLps, 0)), length3(affineColumn(toLps, 1)), length3(affineColumn(toLps, 2))]
}

export function voxelVolumeMl({ toLps }: Grid): number {
  return Math.abs(determinant(toLps)) / 1000
}

/** For L/R, A/P and S/I in turn, the grid axis that follows it most closely; each axis is used once. */
export function axesByLps({ toLps }: Grid): [Axis, Axis, Axis] {
  const directions = map3((axis) => {
    const column = affineColumn(toLps, axis)
    const length = length3(column)
    return column.map((component) => component / length)
  })
  const orders: [Axis, Axis, Axis][] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]
  const fit = (order: [Axis, Axis, Axis]): number =>
    order.reduce((sum: number, axis, lps) => sum + Math.abs(directions[axis]?.[lps] ?? 0), 0)
  return orders.reduce((best, order) => (fit(order) > fit(best) ? order : best))
}

/** Lengths that exceed a whole number of voxels by rounding only do not get one voxel more. */
const ROUNDING = 1e-6

function steps(extentMm: number, spacingMm: number): number {
  return Math.max(1, Math.ceil(extentMm / spacingMm - ROUNDING))
}

/** Corner positions of the grid's outermost voxels (their faces, half a voxel beyond the centres), in LPS mm. */
function cornersLps({ size, toLps }: Grid): [number, number, number][] {
  const [xs, ys, zs] = map3((axis) => [-0.5, size[axis] - 0.5])
  return xs.flatMap((x) => ys.flatMap((y) => zs.map((z) => applyAffine(toLps, [x, y, z]))))
}

/**
 * The grid a model is fed on. `LPS`: axes along the patient's, covering the source's bounding box, so that flipped,
 * permuted and oblique sources look alike to the model. `image`: the source's own axes. Both share the corner of
 * lowest coordinates with the source (not the centre of its first voxel), and `spacingMm` null keeps its voxel size.
 */
export function modelGrid(source: Grid, orientation: 'LPS' | 'image', spacingMm: Vector3 | null): Grid {
  const own = spacingOf(source)
  if (orientation === 'image') {
    const spacing = spacingMm ?? own
    const scaled = map3((axis): Vector3 => {
      const ratio = spacing[axis] / own[axis]
      const [x, y, z] = affineColumn(source.toLps, axis)
      return [x * ratio, y * ratio, z * ratio]
    })
    const start = map3((axis) => (0.5 * spacing[axis]) / own[axis] - 0.5)
    return {
      size: map3((axis) => steps(source.size[axis] * own[axis], spacing[axis])),
      toLps: affineFromColumns(...scaled, applyAffine(source.toLps, start)),
    }
  }
  const order = axesByLps(source)
  const spacing = spacingMm ?? map3((lps) => own[order[lps]])
  const corners = cornersLps(source)
  const low = map3((axis) => Math.min(...corners.map((corner) => corner[axis])))
  const high = map3((axis) => Math.max(...corners.map((corner) => corner[axis])))
  const [sx, sy, sz] = spacing
  return {
    size: map3((axis) => steps(high[axis] - low[axis], spacing[axis])),
    toLps: affineFromColumns([sx, 0, 0], [0, sy, 0], [0, 0, sz], [low[0] + sx / 2, low[1] + sy / 2, low[2] + sz / 2]),
  }
}
