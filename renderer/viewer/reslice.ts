import type { ScreenPlane } from './planar-view.ts'
import { add, scale, sub, type Vec3 } from './vector.ts'
import { indexToWorld, type VolumeGeometry, worldToIndex } from './volume-geometry.ts'

/** Screen rectangle in whole pixels, `right` and `bottom` excluded. */
export interface Rectangle {
  left: number
  top: number
  right: number
  bottom: number
}

/** Linear map from screen pixels to voxel index: index = origin + x·dx + y·dy. */
export interface IndexMap {
  origin: Vec3
  dx: Vec3
  dy: Vec3
}

export function indexMap(plane: ScreenPlane, geometry: VolumeGeometry): IndexMap {
  const origin = worldToIndex(geometry, plane.origin)
  return {
    origin,
    dx: sub(worldToIndex(geometry, add(plane.origin, plane.right)), origin),
    dy: sub(worldToIndex(geometry, add(plane.origin, plane.down)), origin),
  }
}

/** Part of the screen that a grid can touch; null when the plane passes by it. */
export function touched(plane: ScreenPlane, geometry: VolumeGeometry, width: number, height: number): Rectangle | null {
  const { dimensions } = geometry
  const rr = plane.right[0] ** 2 + plane.right[1] ** 2 + plane.right[2] ** 2
  const dd = plane.down[0] ** 2 + plane.down[1] ** 2 + plane.down[2] ** 2
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  let [above, below] = [false, false]
  for (let corner = 0; corner < 8; corner++) {
    const index: Vec3 = [0, 1, 2].map((axis) => ((corner >> axis) & 1 ? dimensions[axis]! - 0.5 : -0.5)) as Vec3
    const from = sub(indexToWorld(geometry, index), plane.origin)
    const along = (axis: Vec3): number => from[0] * axis[0] + from[1] * axis[1] + from[2] * axis[2]
    const away = along(plane.normal)
    above ||= away >= 0
    below ||= away <= 0
    const x = along(plane.right) / rr
    const y = along(plane.down) / dd
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  if (!above || !below) return null
  const box = {
    left: Math.max(0, Math.floor(left)),
    top: Math.max(0, Math.floor(top)),
    right: Math.min(width, Math.ceil(right)),
    bottom: Math.min(height, Math.ceil(bottom)),
  }
  return box.right > box.left && box.bottom > box.top ? box : null
}

/** Labels under every pixel of `box`, nearest voxel; row-major. */
export function sliceLabels(labels: Uint8Array, geometry: VolumeGeometry, map: IndexMap, box: Rectangle): Uint8Array {
  const width = box.right - box.left
  const height = box.bottom - box.top
  const out = new Uint8Array(width * height)
  const [columns, rows, slices] = geometry.dimensions
  let at = 0
  for (let y = box.top; y < box.bottom; y++) {
    // Pixel centres.
    const start = add(map.origin, add(scale(map.dx, box.left + 0.5), scale(map.dy, y + 0.5)))
    let [i, j, k] = start
    for (let x = 0; x < width; x++, at++) {
      const column = Math.round(i)
      const row = Math.round(j)
      const slice = Math.round(k)
      if (column >= 0 && row >= 0 && slice >= 0 && column < columns && row < rows && slice < slices)
        out[at] = labels[column + columns * (row + rows * slice)]!
      i += map.dx[0]
      j += map.dx[1]
      k += map.dx[2]
    }
  }
  return out
}

/** Values under every `step`-th pixel of `box`, trilinear; NaN outside the grid. */
export function sliceValues(
  values: ArrayLike<number>,
  geometry: VolumeGeometry,
  map: IndexMap,
  box: Rectangle,
  step: number,
): { values: Float32Array; width: number; height: number } {
  const width = Math.ceil((box.right - box.left) / step)
  const height = Math.ceil((box.bottom - box.top) / step)
  const out = new Float32Array(width * height).fill(Number.NaN)
  const [columns, rows, slices] = geometry.dimensions
  const plane = columns * rows
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const px = box.left + (x + 0.5) * step
      const py = box.top + (y + 0.5) * step
      const i = map.origin[0] + map.dx[0] * px + map.dy[0] * py
      const j = map.origin[1] + map.dx[1] * px + map.dy[1] * py
      const k = map.origin[2] + map.dx[2] * px + map.dy[2] * py
      if (i < -0.5 || j < -0.5 || k < -0.5 || i > columns - 0.5 || j > rows - 0.5 || k > slices - 0.5) continue
      const i0 = Math.min(columns - 1, Math.max(0, Math.floor(i)))
      const j0 = Math.min(rows - 1, Math.max(0, Math.floor(j)))
      const k0 = Math.min(slices - 1, Math.max(0, Math.floor(k)))
      const di = i0 < columns - 1 ? 1 : 0
      const dj = j0 < rows - 1 ? columns : 0
      const dk = k0 < slices - 1 ? plane : 0
      const fi = Math.min(1, Math.max(0, i - i0))
      const fj = Math.min(1, Math.max(0, j - j0))
      const fk = Math.min(1, Math.max(0, k - k0))
      const at = i0 + j0 * columns + k0 * plane
      const low =
        (values[at]! * (1 - fi) + values[at + di]! * fi) * (1 - fj) +
        (values[at + dj]! * (1 - fi) + values[at + dj + di]! * fi) * fj
      const high =
        (values[at + dk]! * (1 - fi) + values[at + dk + di]! * fi) * (1 - fj) +
        (values[at + dk + dj]! * (1 - fi) + values[at + dk + dj + di]! * fi) * fj
      out[y * width + x] = low * (1 - fk) + high * fk
    }
  return { values: out, width, height }
}
