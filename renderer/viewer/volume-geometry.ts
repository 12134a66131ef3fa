import { depthMm, type FrameInfo } from './frames-of-series.ts'
import { add, cross, dot, length, normalize, scale, sub, type Vec3 } from './vector.ts'

/** A regular grid of voxels. Index (i, j, k) = column, row, slice; all coordinates LPS mm. */
export interface VolumeGeometry {
  dimensions: Vec3
  spacingMm: Vec3
  /** Centre of voxel (0, 0, 0). */
  origin: Vec3
  /** Unit directions in which i, j and k grow. */
  axes: [Vec3, Vec3, Vec3]
}

export type VolumeVerdict = { ok: true; geometry: VolumeGeometry } | { ok: false; reason: string }

/** Slices may be this unevenly spaced before a volume would show wrong distances. */
const SPACING_TOLERANCE = 0.02

/** Says whether frames (in reading order) form one regular volume, or why not. */
export function volumeGeometry(frames: FrameInfo[]): VolumeVerdict {
  const first = frames[0]
  const last = frames.at(-1)
  const no = (reason: string): VolumeVerdict => ({ ok: false, reason })
  if (first === undefined || last === undefined || frames.length < 3) return no('Fewer than three slices.')
  if (first.samplesPerPixel !== 1 || first.photometricInterpretation === 'PALETTE COLOR') return no('Colour images.')
  if (first.rowDirection === null || first.columnDirection === null || first.spacingMm === null)
    return no('The images carry no position in the patient.')
  const same = frames.every(
    (frame) =>
      frame.rows === first.rows &&
      frame.columns === first.columns &&
      frame.spacingMm !== null &&
      Math.abs(frame.spacingMm[0] - first.spacingMm![0]) < 1e-3 &&
      Math.abs(frame.spacingMm[1] - first.spacingMm![1]) < 1e-3 &&
      frame.rowDirection !== null &&
      frame.columnDirection !== null &&
      dot(frame.rowDirection, first.rowDirection!) > 0.9999 &&
      dot(frame.columnDirection, first.columnDirection!) > 0.9999,
  )
  if (!same) return no('The slices differ in size, spacing or orientation.')
  const depths = frames.map((frame) => depthMm(frame))
  if (depths.some((depth) => depth === null)) return no('The images carry no position in the patient.')
  const step = (depths.at(-1)! - depths[0]!) / (frames.length - 1)
  if (Math.abs(step) < 1e-3) return no('Several images lie at the same position.')
  const uneven = depths.some(
    (depth, index) =>
      Math.abs(depth! - (depths[0]! + step * index)) > Math.abs(step) * SPACING_TOLERANCE * 5 ||
      (index > 0 && Math.abs(depth! - depths[index - 1]! - step) > Math.abs(step) * SPACING_TOLERANCE + 0.02),
  )
  if (uneven) return no('The slices are unevenly spaced; a volume would show wrong distances.')
  const normal = normalize(cross(first.rowDirection, first.columnDirection))
  const travel = sub(last.positionLps!, first.positionLps!)
  const drift = length(sub(travel, scale(normal, dot(travel, normal))))
  if (drift > Math.max(...first.spacingMm)) return no('The stack is sheared (gantry tilt).')
  return {
    ok: true,
    geometry: {
      dimensions: [first.columns, first.rows, frames.length],
      spacingMm: [first.spacingMm[1], first.spacingMm[0], Math.abs(step)],
      origin: first.positionLps!,
      axes: [first.rowDirection, first.columnDirection, scale(normal, Math.sign(step))],
    },
  }
}

export function indexToWorld(geometry: VolumeGeometry, index: Vec3): Vec3 {
  const { origin, axes, spacingMm } = geometry
  return add(
    origin,
    add(
      scale(axes[0], index[0] * spacingMm[0]),
      add(scale(axes[1], index[1] * spacingMm[1]), scale(axes[2], index[2] * spacingMm[2])),
    ),
  )
}

/** Continuous index of a point: whole numbers are voxel centres. */
export function worldToIndex(geometry: VolumeGeometry, point: Vec3): Vec3 {
  const from = sub(point, geometry.origin)
  return [
    dot(from, geometry.axes[0]) / geometry.spacingMm[0],
    dot(from, geometry.axes[1]) / geometry.spacingMm[1],
    dot(from, geometry.axes[2]) / geometry.spacingMm[2],
  ]
}

/** Point in the middle of the volume. */
export function centreOf(geometry: VolumeGeometry): Vec3 {
  const { dimensions } = geometry
  return indexToWorld(geometry, [(dimensions[0] - 1) / 2, (dimensions[1] - 1) / 2, (dimensions[2] - 1) / 2])
}

export function contains(geometry: VolumeGeometry, point: Vec3): boolean {
  const index = worldToIndex(geometry, point)
  return index.every((value, axis) => value >= -0.5 && value <= geometry.dimensions[axis]! - 0.5)
}
