import { applyAffine, composeAffine, invertAffine, type Affine } from './affine.ts'
import { AXES, type Axis, type Grid, voxelCount } from './grid.ts'

/** What a target voxel outside the source's voxels gets: a fixed value, or the nearest voxel's. */
export type Outside = number | 'edge'

/** One axis of a separable plan: per target index, the two source positions and the weight of the upper one. */
interface AxisTable {
  source: Axis
  /** Target x: source indices. Target y and z: offsets into the source array. −1 where the target lies outside. */
  lower: Int32Array
  upper: Int32Array
  weight: Float64Array
}

/** Trilinear interpolation from one grid to another, ready to run over slabs of target slices. */
export interface ResamplePlan {
  from: Grid
  to: Grid
  /** Both grids are the same: resampling is copying. */
  identity: boolean
  /** Target voxel index → source voxel index. */
  toSource: Affine
  /** Set when every target axis runs along one source axis (axial, flipped, permuted sources). */
  tables: readonly [AxisTable, AxisTable, AxisTable] | null
  outside: Outside
}

/** Index differences below this (in voxels) are rounding. */
const TOLERANCE = 1e-5

function strideOf({ size }: Grid, axis: Axis): number {
  return axis === 0 ? 1 : axis === 1 ? size[0] : size[0] * size[1]
}

function axisTable(plan: { m: Affine; from: Grid; to: Grid }, target: Axis, source: Axis, outside: Outside): AxisTable {
  const { m, from, to } = plan
  const [length, sourceLength] = [to.size[target], from.size[source]]
  const stride = target === 0 ? 1 : strideOf(from, source)
  const scale = m[(source * 4 + target) as 0]
  const offset = m[(source * 4 + 3) as 3]
  const table = {
    source,
    lower: new Int32Array(length),
    upper: new Int32Array(length),
    weight: new Float64Array(length),
  }
  for (let i = 0; i < length; i++) {
    const exact = scale * i + offset
    const nearest = Math.round(exact)
    const position = Math.abs(exact - nearest) < TOLERANCE ? nearest : exact
    // A voxel reaches half a voxel beyond its centre; there, the outermost value holds.
    if (outside !== 'edge' && (position < -0.5 - TOLERANCE || position > sourceLength - 0.5 + TOLERANCE)) {
      table.lower[i] = -1
      continue
    }
    const clamped = Math.min(Math.max(position, 0), sourceLength - 1)
    const low = Math.floor(clamped)
    table.lower[i] = low * stride
    table.upper[i] = Math.min(low + 1, sourceLength - 1) * stride
    table.weight[i] = clamped - low
  }
  return table
}

/** The source axis each target axis runs along, or null when the grids are oblique to each other. */
function separableAxes(m: Affine, to: Grid): [Axis, Axis, Axis] | null {
  const axes: Axis[] = []
  for (const target of AXES) {
    // A component matters when it moves the position by more than the tolerance across the whole target.
    const moving = AXES.filter((source) => Math.abs(m[(source * 4 + target) as 0]) * to.size[target] > 1e-3)
    const [only] = moving.length === 1 ? moving : [undefined]
    if (only === undefined || axes.includes(only)) return null
    axes.push(only)
  }
  return axes as [Axis, Axis, Axis]
}

export function planResample(from: Grid, to: Grid, outside: Outside): ResamplePlan {
  const m = composeAffine(invertAffine(from.toLps), to.toLps)
  const axes = separableAxes(m, to)
  const tables =
    axes === null
      ? null
      : (AXES.map((target) => axisTable({ m, from, to }, target, axes[target], outside)) as [
          AxisTable,
          AxisTable,
          AxisTable,
        ])
  const identity =
    tables !== null &&
    AXES.every(
      (axis) =>
        from.size[axis] === to.size[axis] &&
        tables[axis].source === axis &&
        tables[axis].weight.every((weight) => weight === 0) &&
        tables[axis].lower.every((offset, i) => offset === i * strideOf(from, axis)),
    )
  return { from, to, identity, toSource: m, tables, outside }
}

/** Target slices [firstSlice, endSlice) of the plan, from `source` into `target` (both whole volumes). */
function resampleSlab(
  plan: ResamplePlan,
  source: Float32Array,
  target: Float32Array,
  firstSlice: number,
  endSlice: number,
): void {
  const slice = plan.to.size[0] * plan.to.size[1]
  if (plan.identity) target.set(source.subarray(firstSlice * slice, endSlice * slice), firstSlice * slice)
  else if (plan.tables !== null) separableSlab(plan, plan.tables, source, target, firstSlice, endSlice)
  else obliqueSlab(plan, source, target, firstSlice, endSlice)
}

function separableSlab(
  { from, to, outside }: ResamplePlan,
  [tx, ty, tz]: readonly [AxisTable, AxisTable, AxisTable],
  source: Float32Array,
  target: Float32Array,
  firstSlice: number,
  endSlice: number,
): void {
  const nx = to.size[0]
  const ny = to.size[1]
  const fill = outside === 'edge' ? 0 : outside
  const { lower: xLower, upper: xUpper, weight: xWeight } = tx
  const xStride = strideOf(from, tx.source)
  // The four source rows around a target row, blended; what is left per target voxel is the step along the row.
  const line = new Float64Array(from.size[tx.source])
  for (let z = firstSlice; z < endSlice; z++) {
    const z0 = tz.lower[z]!
    const z1 = tz.upper[z]!
    const wz = tz.weight[z]!
    for (let y = 0; y < ny; y++) {
      const y0 = ty.lower[y]!
      const y1 = ty.upper[y]!
      const wy = ty.weight[y]!
      const row = (z * ny + y) * nx
      if (z0 < 0 || y0 < 0) {
        target.fill(fill, row, row + nx)
        continue
      }
      blendRows(source, line, xStride, z0 + y0, z0 + y1, z1 + y0, z1 + y1, wy, wz)
      for (let x = 0; x < nx; x++) {
        const a = xLower[x]!
        if (a < 0) {
          target[row + x] = fill
          continue
        }
        const near = line[a]!
        target[row + x] = near + xWeight[x]! * (line[xUpper[x]!]! - near)
      }
    }
  }
}

/** line = the rows that begin at o00, o01 (next y), o10 (next z) and o11, bilinearly blended; rows of weight 0 are not read. */
function blendRows(
  source: Float32Array,
  line: Float64Array,
  stride: number,
  o00: number,
  o01: number,
  o10: number,
  o11: number,
  wy: number,
  wz: number,
): void {
  const length = line.length
  if (wy === 0 && wz === 0) for (let i = 0, at = 0; i < length; i++, at += stride) line[i] = source[o00 + at]!
  else if (wz === 0)
    for (let i = 0, at = 0; i < length; i++, at += stride)
      line[i] = source[o00 + at]! + wy * (source[o01 + at]! - source[o00 + at]!)
  else
    for (let i = 0, at = 0; i < length; i++, at += stride) {
      const near = source[o00 + at]! + wy * (source[o01 + at]! - source[o00 + at]!)
      const far = source[o10 + at]! + wy * (source[o11 + at]! - source[o10 + at]!)
      line[i] = near + wz * (far - near)
    }
}

function obliqueSlab(
  { from, to, toSource: m, outside }: ResamplePlan,
  source: Float32Array,
  target: Float32Array,
  firstSlice: number,
  endSlice: number,
): void {
  const [nx, ny] = to.size
  const [sx, sy, sz] = from.size
  const plane = sx * sy
  const fill = outside === 'edge' ? 0 : outside
  const bound = outside === 'edge' ? Infinity : 0.5 + TOLERANCE
  for (let z = firstSlice; z < endSlice; z++) {
    for (let y = 0; y < ny; y++) {
      const [px, py, pz] = applyAffine(m, [0, y, z])
      const row = (z * ny + y) * nx
      for (let x = 0; x < nx; x++) {
        let u = px + m[0] * x
        let v = py + m[4] * x
        let w = pz + m[8] * x
        if (u < -bound || v < -bound || w < -bound || u > sx - 1 + bound || v > sy - 1 + bound || w > sz - 1 + bound) {
          target[row + x] = fill
          continue
        }
        u = u < 0 ? 0 : u > sx - 1 ? sx - 1 : u
        v = v < 0 ? 0 : v > sy - 1 ? sy - 1 : v
        w = w < 0 ? 0 : w > sz - 1 ? sz - 1 : w
        const u0 = Math.floor(u)
        const v0 = Math.floor(v)
        const w0 = Math.floor(w)
        const fu = u - u0
        const fv = v - v0
        const fw = w - w0
        const at = u0 + v0 * sx + w0 * plane
        const du = u0 < sx - 1 ? 1 : 0
        const dv = v0 < sy - 1 ? sx : 0
        const dw = w0 < sz - 1 ? plane : 0
        const c00 = source[at]! + fu * (source[at + du]! - source[at]!)
        const c01 = source[at + dv]! + fu * (source[at + dv + du]! - source[at + dv]!)
        const c10 = source[at + dw]! + fu * (source[at + dw + du]! - source[at + dw]!)
        const c11 = source[at + dw + dv]! + fu * (source[at + dw + dv + du]! - source[at + dw + dv]!)
        const c0 = c00 + fv * (c01 - c00)
        const c1 = c10 + fv * (c11 - c10)
        target[row + x] = c0 + fw * (c1 - c0)
      }
    }
  }
}

/** Voxels between two chances to stop: some 20 ms of work. */
const VOXELS_PER_SLAB = 1_000_000

/**
 * Trilinear resampling in slabs; `pause` is awaited between them (let others run, throw to stop).
 * `target` may be given to reuse memory; it must hold the target grid's voxels.
 */
export async function resampleVolume(
  plan: ResamplePlan,
  source: Float32Array,
  pause: () => Promise<void>,
  target: Float32Array = new Float32Array(voxelCount(plan.to)),
): Promise<Float32Array> {
  const slices = plan.to.size[2]
  const step = Math.max(1, Math.floor(VOXELS_PER_SLAB / (plan.to.size[0] * plan.to.size[1])))
  for (let first = 0; first < slices; first += step) {
    await pause()
    resampleSlab(plan, source, target, first, Math.min(slices, first + step))
  }
  return target
}
