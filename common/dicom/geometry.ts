import { type DicomJsonDataset, type DicomJsonValue, items, number, numbers } from './json.ts'

/** Millimetres (or a unit direction) in the patient's coordinates, DICOM LPS: +x to the left, +y to the back, +z to the head. */
export type Vector3 = readonly [x: number, y: number, z: number]

/** 4×4, row-major, homogeneous: maps (i, j, k, 1) to millimetres in LPS; i counts columns, j rows, k slices. */
export type Affine = readonly number[]

/** Where one frame lies in the patient: PS3.3 C.7.6.2.1.1. */
export interface ImagePlane {
  rows: number
  columns: number
  /** Centre of the first (upper left) pixel. */
  originMm: Vector3
  /** Unit direction in which the column index grows (along a row). */
  rowDirection: Vector3
  /** Unit direction in which the row index grows (down a column). */
  columnDirection: Vector3
  /** rowDirection × columnDirection */
  normal: Vector3
  /** Distance of neighbouring columns (along a row). */
  columnSpacingMm: number
  /** Distance of neighbouring rows (down a column). */
  rowSpacingMm: number
}

function add(a: Vector3, b: Vector3): Vector3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

export function subtract(a: Vector3, b: Vector3): Vector3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

export function scale(a: Vector3, factor: number): Vector3 {
  return [a[0] * factor, a[1] * factor, a[2] * factor]
}

export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

export function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

export function length(a: Vector3): number {
  return Math.hypot(a[0], a[1], a[2])
}

const SHARED_GROUPS = '52009229'
const PER_FRAME_GROUPS = '52009230'
const PLANE_POSITION = '00209113'
const PLANE_ORIENTATION = '00209116'
const PIXEL_MEASURES = '00289110'

/**
 * The data set in which a frame's attributes of one functional group stand: the frame's own item, the shared one, or
 * for classic objects the data set itself (PS3.3 C.7.6.16).
 * @param frame 0-based
 */
export function functionalGroup(dataset: DicomJsonDataset, frame: number, group: string): DicomJsonDataset {
  // Not by items(): thousands of frames would copy the sequence thousands of times.
  const own = dataset[PER_FRAME_GROUPS]?.Value?.[frame]
  const found = isDataset(own) ? items(own, group)[0] : undefined
  if (found !== undefined) return found
  const shared = items(dataset, SHARED_GROUPS)[0]
  return (shared === undefined ? undefined : items(shared, group)[0]) ?? dataset
}

function isDataset(value: DicomJsonValue | undefined): value is DicomJsonDataset {
  return typeof value === 'object' && value !== null
}

/**
 * The plane of a frame, or null when the header does not place it in the patient (projection images, screenshots) or
 * places it impossibly (directions that are no unit vectors at right angles).
 * @param frame 0-based
 */
export function imagePlane(dataset: DicomJsonDataset, frame = 0): ImagePlane | null {
  const rows = number(dataset, '00280010')
  const columns = number(dataset, '00280011')
  const position = numbers(functionalGroup(dataset, frame, PLANE_POSITION), '00200032')
  const orientation = numbers(functionalGroup(dataset, frame, PLANE_ORIENTATION), '00200037')
  const spacing = numbers(functionalGroup(dataset, frame, PIXEL_MEASURES), '00280030')
  if (rows === null || columns === null || position?.length !== 3 || orientation?.length !== 6) return null
  if (spacing === null || spacing.length < 2 || spacing.some((step) => step <= 0)) return null
  const [x1, y1, z1, x2, y2, z2] = orientation as [number, number, number, number, number, number]
  const rowDirection = unit([x1, y1, z1])
  const columnDirection = unit([x2, y2, z2])
  if (rowDirection === null || columnDirection === null) return null
  if (Math.abs(dot(rowDirection, columnDirection)) > 0.01) return null
  const normal = cross(rowDirection, columnDirection)
  const origin = position as [number, number, number]
  return {
    rows,
    columns,
    originMm: add(origin, scale(normal, doseOffsetMm(dataset, frame, origin))),
    rowDirection,
    columnDirection,
    normal: scale(normal, 1 / length(normal)),
    rowSpacingMm: spacing[0]!,
    columnSpacingMm: spacing[1]!,
  }
}

/** Grid Frame Offset Vector of dose grids: distances along the normal from the first plane (PS3.3 C.8.8.3.2). */
function doseOffsetMm(dataset: DicomJsonDataset, frame: number, origin: Vector3): number {
  const offsets = numbers(dataset, '3004000C')
  const offset = offsets?.[frame]
  if (offset === undefined) return 0
  // Form b of the standard: the vector holds z coordinates, beginning with the origin's own.
  return offsets![0] === 0 ? offset : offset - origin[2]
}

/** Real headers round: a direction up to 1 % off its length is brought to 1. Null when it is further off. */
function unit(direction: Vector3): Vector3 | null {
  const norm = length(direction)
  return Math.abs(norm - 1) > 0.01 ? null : scale(direction, 1 / norm)
}

/** Largest angle at which two frames still count as parallel: cos(0.5°). */
const PARALLEL = 0.99996

export function isParallel(a: ImagePlane, b: ImagePlane): boolean {
  return dot(a.rowDirection, b.rowDirection) > PARALLEL && dot(a.columnDirection, b.columnDirection) > PARALLEL
}

/** Signed distance of the plane along a normal, in mm: what slices are sorted by. */
export function positionAlong(plane: ImagePlane, normal: Vector3): number {
  return dot(plane.originMm, normal)
}

/** Index → LPS for a stack that begins at `plane` and steps by `stepMm` from slice to slice. */
export function stackAffine(plane: ImagePlane, stepMm: Vector3): Affine {
  const row = scale(plane.rowDirection, plane.columnSpacingMm)
  const column = scale(plane.columnDirection, plane.rowSpacingMm)
  const { originMm: origin } = plane
  return [0, 1, 2].flatMap((axis) => [row[axis]!, column[axis]!, stepMm[axis]!, origin[axis]!]).concat(0, 0, 0, 1)
}

export function transformPoint(affine: Affine, [i, j, k]: Vector3): Vector3 {
  const row = (r: number): number => affine[r]! * i + affine[r + 1]! * j + affine[r + 2]! * k + affine[r + 3]!
  return [row(0), row(4), row(8)]
}

/** The inverse of an affine (LPS → index), or null when it is singular. */
export function invertAffine(affine: Affine): Affine | null {
  const x: Vector3 = [affine[0]!, affine[4]!, affine[8]!]
  const y: Vector3 = [affine[1]!, affine[5]!, affine[9]!]
  const z: Vector3 = [affine[2]!, affine[6]!, affine[10]!]
  const origin: Vector3 = [affine[3]!, affine[7]!, affine[11]!]
  const determinant = dot(x, cross(y, z))
  if (Math.abs(determinant) < 1e-12) return null
  const rows = [cross(y, z), cross(z, x), cross(x, y)].map((row) => scale(row, 1 / determinant))
  return rows.flatMap((row) => [...row, -dot(row, origin)]).concat(0, 0, 0, 1)
}

/**
 * Letters of the direction in the patient, strongest first: L/R, P/A, and H/F or S/I. A direction within about 6° of a
 * main axis gets one letter, an oblique one two or three ("LA", "PH"): PS3.3 C.7.6.1.1.1.
 */
export function orientationLetters(direction: Vector3, names: 'HF' | 'SI' = 'HF'): string {
  const [up, down] = names === 'HF' ? ['H', 'F'] : ['S', 'I']
  const parts = [
    { size: Math.abs(direction[0]), letter: direction[0] > 0 ? 'L' : 'R' },
    { size: Math.abs(direction[1]), letter: direction[1] > 0 ? 'P' : 'A' },
    { size: Math.abs(direction[2]), letter: direction[2] > 0 ? up : down },
  ]
  const norm = length(direction)
  return parts
    .filter(({ size }) => size > 0.1 * norm)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join('')
}

/** The plane an image shows best. */
export function anatomicalPlane(normal: Vector3): 'axial' | 'coronal' | 'sagittal' {
  const [x, y, z] = normal.map(Math.abs) as [number, number, number]
  return z >= x && z >= y ? 'axial' : y >= x ? 'coronal' : 'sagittal'
}
