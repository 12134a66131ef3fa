import { cross, dot } from '#common/dicom/geometry.ts'
import { items, number, numbers, type DicomJsonDataset } from '#common/dicom/json.ts'

type Vector3 = [number, number, number]

/** Where a frame lies in the patient (PS3.3 C.7.6.2), DICOM LPS, mm. */
export interface FramePlane {
  /** Centre of the first pixel. */
  positionLps: Vector3
  /** Unit vectors along a row (columns grow) and along a column (rows grow). */
  rowDirection: Vector3
  columnDirection: Vector3
  /** Distance between rows, between columns, mm: Pixel Spacing in its own order. */
  pixelSpacingMm: [number, number]
  sliceThicknessMm: number | null
}

/** Functional groups of a multi-frame image that say where one frame lies. */
export interface FrameGroups {
  own: DicomJsonDataset | undefined
  shared: DicomJsonDataset | undefined
}

/** Macro in the frame's own functional group, the shared one, or the data set itself, in this order. */
function grouped(dataset: DicomJsonDataset, groups: FrameGroups, sequence: string): DicomJsonDataset {
  for (const group of [groups.own, groups.shared]) {
    const macro = group === undefined ? undefined : items(group, sequence)[0]
    if (macro !== undefined) return macro
  }
  return dataset
}

function vector3(values: readonly number[] | null, from = 0): Vector3 | null {
  const [x, y, z] = (values ?? []).slice(from, from + 3)
  return x === undefined || y === undefined || z === undefined ? null : [x, y, z]
}

/** null when the frame (1-based) has no plane in the patient. */
export function framePlane(dataset: DicomJsonDataset, frame: number): FramePlane | null {
  return planeOf(dataset, { own: items(dataset, '52009230')[frame - 1], shared: items(dataset, '52009229')[0] })
}

/** The same with the frame's functional groups at hand: for callers that go through all frames. */
export function planeOf(dataset: DicomJsonDataset, groups: FrameGroups): FramePlane | null {
  const positionLps = vector3(numbers(grouped(dataset, groups, '00209113'), '00200032'))
  const orientation = numbers(grouped(dataset, groups, '00209116'), '00200037')
  const rowDirection = vector3(orientation)
  const columnDirection = vector3(orientation, 3)
  const measures = grouped(dataset, groups, '00289110')
  const [between, along] = numbers(measures, '00280030') ?? []
  if (
    positionLps === null ||
    rowDirection === null ||
    columnDirection === null ||
    between === undefined ||
    along === undefined
  )
    return null
  return {
    positionLps,
    rowDirection,
    columnDirection,
    pixelSpacingMm: [between, along],
    sliceThicknessMm: number(measures, '00180050'),
  }
}

/** Signed distance of a plane along its normal, mm. */
export function alongNormal(plane: FramePlane): number {
  return dot(cross(plane.rowDirection, plane.columnDirection), plane.positionLps)
}

/** Same pixel grid and orientation (positions may differ along the normal only), within what rounding does to DS. */
export function sameGrid(a: FramePlane, b: FramePlane): boolean {
  const close = (p: number, q: number, tolerance: number): boolean => Math.abs(p - q) <= tolerance
  const direction = (p: Vector3, q: Vector3): boolean => p.every((value, axis) => close(value, q[axis] ?? 0, 1e-3))
  const shift: Vector3 = [
    a.positionLps[0] - b.positionLps[0],
    a.positionLps[1] - b.positionLps[1],
    a.positionLps[2] - b.positionLps[2],
  ]
  return (
    direction(a.rowDirection, b.rowDirection) &&
    direction(a.columnDirection, b.columnDirection) &&
    close(a.pixelSpacingMm[0], b.pixelSpacingMm[0], 1e-3) &&
    close(a.pixelSpacingMm[1], b.pixelSpacingMm[1], 1e-3) &&
    close(dot(shift, a.rowDirection), 0, a.pixelSpacingMm[1] / 4) &&
    close(dot(shift, a.columnDirection), 0, a.pixelSpacingMm[0] / 4)
  )
}
