import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { cross, dot, length, scale, type Vector3 } from '#common/dicom/geometry.ts'
import type { Volume, VolumeGrid } from './types.ts'

const compress = promisify(gzip)

const HEADER_BYTES = 348
/** Header, and four bytes that say there are no extensions. */
const DATA_OFFSET = 352
const DT_UINT8 = 2
const DT_FLOAT32 = 16
const UNITS_MM = 2
const XFORM_SCANNER = 1

/**
 * The volume as NIfTI-1 (.nii.gz), 32-bit floats in the volume's unit; a mask as bytes. World coordinates are RAS, as
 * NIfTI wants them: x and y of the LPS affine change sign. The sform holds the whole affine; the qform is given too
 * where the grid is not sheared.
 * @param mask replaces the voxels: one byte each, same order
 */
export async function writeNifti(
  volume: Volume | (VolumeGrid & { data?: undefined }),
  mask?: Uint8Array,
): Promise<Uint8Array> {
  const [nx, ny, nz] = volume.shape
  const samples = mask ?? volume.data
  if (samples === undefined || samples.length !== nx * ny * nz)
    throw new RangeError('A NIfTI image needs one value for each voxel.')
  const out = new Uint8Array(DATA_OFFSET + samples.byteLength)
  const view = new DataView(out.buffer)
  const [dx, dy, dz] = volume.spacingMm
  const ras = rasAffine(volume)
  const floats = samples instanceof Float32Array
  view.setInt32(0, HEADER_BYTES, true)
  ;[3, nx, ny, nz, 1, 1, 1, 1].forEach((value, index) => view.setInt16(40 + index * 2, value, true))
  view.setInt16(70, floats ? DT_FLOAT32 : DT_UINT8, true)
  view.setInt16(72, floats ? 32 : 8, true)
  const rotation = quaternion(ras)
  ;[rotation?.handedness ?? 1, dx, dy, dz, 0, 0, 0, 0].forEach((value, index) =>
    view.setFloat32(76 + index * 4, value, true),
  )
  view.setFloat32(108, DATA_OFFSET, true)
  view.setFloat32(112, 1, true)
  view.setUint8(123, UNITS_MM)
  writeText(out, 148, 80, 'Alcove: research use only')
  view.setInt16(252, rotation === null ? 0 : XFORM_SCANNER, true)
  view.setInt16(254, XFORM_SCANNER, true)
  if (rotation !== null) {
    rotation.bcd.forEach((value, index) => view.setFloat32(256 + index * 4, value, true))
    ;[ras[3]!, ras[7]!, ras[11]!].forEach((value, index) => view.setFloat32(268 + index * 4, value, true))
  }
  ras.slice(0, 12).forEach((value, index) => view.setFloat32(280 + index * 4, value, true))
  writeText(out, 344, 4, 'n+1')
  out.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), DATA_OFFSET)
  return compress(out)
}

function writeText(out: Uint8Array, offset: number, room: number, text: string): void {
  out.set(new TextEncoder().encode(text).subarray(0, room - 1), offset)
}

/** Row-major 4×4, index → RAS. */
function rasAffine({ affine }: VolumeGrid): number[] {
  return affine.map((value, index) => (index < 8 ? -value : value))
}

/** The rotation as a quaternion (NIfTI-1 "method 2"); null when the grid is sheared. */
function quaternion(ras: number[]): { bcd: Vector3; handedness: 1 | -1 } | null {
  const column = (index: number): Vector3 => [ras[index]!, ras[4 + index]!, ras[8 + index]!]
  const [x, y, z] = [column(0), column(1), column(2)].map((axis) => scale(axis, 1 / length(axis))) as [
    Vector3,
    Vector3,
    Vector3,
  ]
  if (Math.max(Math.abs(dot(x, y)), Math.abs(dot(x, z)), Math.abs(dot(y, z))) > 1e-4) return null
  const handedness = dot(cross(x, y), z) < 0 ? -1 : 1
  const w = scale(z, handedness)
  // Columns x, y, w form a proper rotation R.
  const trace = x[0] + y[1] + w[2] + 1
  if (trace > 0.5) {
    const a = Math.sqrt(trace) / 2
    return { bcd: [(y[2] - w[1]) / (4 * a), (w[0] - x[2]) / (4 * a), (x[1] - y[0]) / (4 * a)], handedness }
  }
  const xd = 1 + x[0] - y[1] - w[2]
  const yd = 1 + y[1] - x[0] - w[2]
  const zd = 1 + w[2] - x[0] - y[1]
  let a: number
  let bcd: Vector3
  if (xd > 1) {
    const b = Math.sqrt(xd) / 2
    bcd = [b, (y[0] + x[1]) / (4 * b), (w[0] + x[2]) / (4 * b)]
    a = (y[2] - w[1]) / (4 * b)
  } else if (yd > 1) {
    const c = Math.sqrt(yd) / 2
    bcd = [(y[0] + x[1]) / (4 * c), c, (w[1] + y[2]) / (4 * c)]
    a = (w[0] - x[2]) / (4 * c)
  } else {
    const d = Math.sqrt(zd) / 2
    bcd = [(w[0] + x[2]) / (4 * d), (w[1] + y[2]) / (4 * d), d]
    a = (x[1] - y[0]) / (4 * d)
  }
  // The reader takes a as the positive root.
  return { bcd: a < 0 ? scale(bcd, -1) : bcd, handedness }
}
