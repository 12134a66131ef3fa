import { invertAffine, transformPoint, type Vector3 } from '#common/dicom/geometry.ts'
import { type DicomJsonDataset, items, number, numbers, text } from '#common/dicom/json.ts'
import { AlcoveError } from '#common/errors.ts'
import type { VolumeGrid } from './types.ts'

export interface StructureContour {
  /** POINT, OPEN_PLANAR, CLOSED_PLANAR, … (PS3.3 C.8.8.6.3) */
  type: string
  /** x, y, z of each point one after the other, LPS millimetres. */
  pointsMm: number[]
}

export interface Structure {
  number: number
  name: string
  contours: StructureContour[]
}

/** Regions of interest of an RT Structure Set. */
export function readStructures(dataset: DicomJsonDataset): Structure[] {
  const contoured = items(dataset, '30060039')
  return items(dataset, '30060020').flatMap((roi) => {
    const roiNumber = number(roi, '30060022')
    if (roiNumber === null) return []
    const contours = contoured
      .filter((item) => number(item, '30060084') === roiNumber)
      .flatMap((item) => items(item, '30060040'))
      .map((contour) => ({ type: text(contour, '30060042') ?? '', pointsMm: numbers(contour, '30060050') ?? [] }))
    return [{ number: roiNumber, name: text(roi, '30060026') ?? '', contours }]
  })
}

/** A contour may lie this far from the middle of its slice, in slices, and still belong to it. */
const SLICE_TOLERANCE = 0.5

/**
 * Closed planar contours as a mask on a volume's grid: 1 where the voxel's centre is inside, by the even-odd rule over
 * all contours of the slice (so that an inner contour cuts a hole). Contours must run in the grid's slice plane.
 * @returns one byte a voxel, in the volume's order
 * @throws AlcoveError geometry/unsuitable when a contour crosses slices or the grid is singular
 */
export function rasteriseContours(contours: readonly StructureContour[], grid: VolumeGrid): Uint8Array {
  const inverse = invertAffine(grid.affine)
  if (inverse === null) throw new AlcoveError('geometry/unsuitable', 'The volume has no proper grid.')
  const [nx, ny, nz] = grid.shape
  const mask = new Uint8Array(nx * ny * nz)
  for (const { type, pointsMm } of contours) {
    if (type !== 'CLOSED_PLANAR' && type !== 'CLOSEDPLANAR_XOR') continue
    const points: Vector3[] = []
    for (let p = 0; p + 2 < pointsMm.length; p += 3)
      points.push(transformPoint(inverse, [pointsMm[p]!, pointsMm[p + 1]!, pointsMm[p + 2]!]))
    if (points.length < 3) continue
    const k = Math.round(points.reduce((sum, point) => sum + point[2], 0) / points.length)
    if (points.some((point) => Math.abs(point[2] - k) > SLICE_TOLERANCE + 1e-3))
      throw new AlcoveError('geometry/unsuitable', 'A contour does not lie in the plane of the slices.')
    if (k >= 0 && k < nz) fillPolygon(points, mask.subarray(k * nx * ny, (k + 1) * nx * ny), nx, ny)
  }
  return mask
}

/** Flips the pixels whose centres (whole indices) lie inside the polygon. */
function fillPolygon(points: readonly Vector3[], slice: Uint8Array, nx: number, ny: number): void {
  for (let j = 0; j < ny; j++) {
    const crossings: number[] = []
    points.forEach((from, index) => {
      const to = points[(index + 1) % points.length]!
      if (from[1] <= j !== to[1] <= j) crossings.push(from[0] + ((j - from[1]) / (to[1] - from[1])) * (to[0] - from[0]))
    })
    crossings.sort((a, b) => a - b)
    for (let c = 0; c + 1 < crossings.length; c += 2) {
      const begin = Math.max(0, Math.ceil(crossings[c]!))
      const end = Math.min(nx - 1, Math.ceil(crossings[c + 1]!) - 1)
      for (let i = begin; i <= end; i++) slice[j * nx + i] = slice[j * nx + i]! ^ 1
    }
  }
}
