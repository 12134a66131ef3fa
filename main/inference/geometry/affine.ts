export type Vector3 = readonly [number, number, number]

/**
 * Upper three rows of a 4×4 matrix, row by row: (x', y', z') = A · (x, y, z, 1). Grids map voxel indices (x column,
 * y row, z slice; voxel centres are whole numbers) to DICOM patient coordinates (LPS) in mm.
 */
export type Affine = readonly [
  ...xRow: [number, number, number, number],
  ...yRow: [number, number, number, number],
  ...zRow: [number, number, number, number],
]

export function applyAffine(a: Affine, [x, y, z]: Vector3): [number, number, number] {
  return [
    a[0] * x + a[1] * y + a[2] * z + a[3],
    a[4] * x + a[5] * y + a[6] * z + a[7],
    a[8] * x + a[9] * y + a[10] * z + a[11],
  ]
}

/** `first` is applied first. */
export function composeAffine(second: Affine, first: Affine): Affine {
  const column = (i: 0 | 1 | 2): [number, number, number] => {
    const [x, y, z] = [first[i], first[(i + 4) as 4], first[(i + 8) as 8]]
    return [
      second[0] * x + second[1] * y + second[2] * z,
      second[4] * x + second[5] * y + second[6] * z,
      second[8] * x + second[9] * y + second[10] * z,
    ]
  }
  return affineFromColumns(column(0), column(1), column(2), applyAffine(second, [first[3], first[7], first[11]]))
}

/** Columns: steps of one voxel along x, y and z, and the position of voxel (0, 0, 0). */
export function affineFromColumns(x: Vector3, y: Vector3, z: Vector3, origin: Vector3): Affine {
  return [x[0], y[0], z[0], origin[0], x[1], y[1], z[1], origin[1], x[2], y[2], z[2], origin[2]]
}

export function affineColumn(a: Affine, axis: 0 | 1 | 2): [number, number, number] {
  return [a[axis], a[(axis + 4) as 4], a[(axis + 8) as 8]]
}

export function determinant(a: Affine): number {
  return a[0] * (a[5] * a[10] - a[6] * a[9]) - a[1] * (a[4] * a[10] - a[6] * a[8]) + a[2] * (a[4] * a[9] - a[5] * a[8])
}

/** @throws RangeError when the matrix has no inverse: a grid with coinciding axes, which never leaves the loader */
export function invertAffine(a: Affine): Affine {
  const d = determinant(a)
  if (!Number.isFinite(1 / d)) throw new RangeError('The matrix has no inverse.')
  const x: Vector3 = [
    (a[5] * a[10] - a[6] * a[9]) / d,
    (a[6] * a[8] - a[4] * a[10]) / d,
    (a[4] * a[9] - a[5] * a[8]) / d,
  ]
  const y: Vector3 = [
    (a[2] * a[9] - a[1] * a[10]) / d,
    (a[0] * a[10] - a[2] * a[8]) / d,
    (a[1] * a[8] - a[0] * a[9]) / d,
  ]
  const z: Vector3 = [(a[1] * a[6] - a[2] * a[5]) / d, (a[2] * a[4] - a[0] * a[6]) / d, (a[0] * a[5] - a[1] * a[4]) / d]
  const linear = affineFromColumns(x, y, z, [0, 0, 0])
  const [ox, oy, oz] = applyAffine(linear, [a[3], a[7], a[11]])
  return affineFromColumns(x, y, z, [-ox, -oy, -oz])
}

export function length3([x, y, z]: Vector3): number {
  return Math.hypot(x, y, z)
}
