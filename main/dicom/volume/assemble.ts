import { AlcoveError } from '#common/errors.ts'
import { length, stackAffine } from '#common/dicom/geometry.ts'
import { type DicomJsonDataset, text } from '#common/dicom/json.ts'
import { applyModality, modalityTransform } from '#common/dicom/modality-lut.ts'
import { requireSuvFactor } from '#common/dicom/suv.ts'
import { LIMITS } from '#common/limits.ts'
import { findStacks, type Stack } from './stacks.ts'
import type { Volume, VolumeInstance } from './types.ts'

export interface AssembleOptions {
  /**
   * PET: 'SUVbw' (default) or the rescaled activity as it stands. Other modalities are always rescaled by their
   * modality LUT.
   */
  petUnit?: 'SUVbw' | 'stored'
  /** Take a stack with blocking problems all the same (for display). Its grid is the best even one. */
  allowIrregular?: boolean
  signal?: AbortSignal
  onProgress?: (done: number, total: number) => void
}

/**
 * The main volume of a series: the largest stack of parallel slices (localizers, screenshots and smaller stacks left
 * out), in real units, on a regular grid in LPS.
 * @throws AlcoveError geometry/unsuitable with a sentence, suv/not-computable, dicom/undecodable-pixels,
 *   dicom/too-large, task/cancelled
 */
export async function assembleVolume(
  instances: readonly VolumeInstance[],
  options: AssembleOptions = {},
): Promise<Volume> {
  const stacks = findStacks(
    instances.map(({ dataset }) => dataset),
    instances.map(({ frames }) => frames),
  )
  const [stack] = stacks
  if (stack === undefined)
    throw new AlcoveError(
      'geometry/unsuitable',
      'None of the images has a place in the patient, so there is no volume.',
    )
  const blocking = stack.problems.find((problem) => problem.blocking)
  if (blocking !== undefined && options.allowIrregular !== true)
    throw new AlcoveError('geometry/unsuitable', blocking.message)
  return fillStack(stack, instances, options)
}

/** Decodes one stack of findStacks into a volume. @throws as assembleVolume, its blocking problems excepted */
async function fillStack(
  stack: Stack,
  instances: readonly VolumeInstance[],
  options: AssembleOptions = {},
): Promise<Volume> {
  const first = stack.slices[0]!
  const { columns: nx, rows: ny } = first.plane
  const nz = stack.slices.length
  if (nx * ny * nz * Float32Array.BYTES_PER_ELEMENT > LIMITS.volumeBytes)
    throw new AlcoveError('dicom/too-large', 'The series makes a larger volume than this version computes with.')
  const { dataset } = instances[first.instance]!
  const modality = text(dataset, '00080060') ?? ''
  const asSuv = modality === 'PT' && (options.petUnit ?? 'SUVbw') === 'SUVbw'
  const factor = asSuv ? requireSuvFactor(datasetsOf(stack, instances)).factor : 1

  const data = new Float32Array(nx * ny * nz)
  let unit: string | null = null
  for (const [k, slice] of stack.slices.entries()) {
    if (options.signal?.aborted === true) throw new AlcoveError('task/cancelled', 'Reading the volume was cancelled.')
    const instance = instances[slice.instance]!
    const decoded = await instance.decode(slice.frame)
    if (decoded.samplesPerPixel !== 1 || decoded.columns !== nx || decoded.rows !== ny)
      throw new AlcoveError('geometry/unsuitable', 'A slice has another size than its header says.')
    const { pixels } = decoded
    const signed = pixels instanceof Int8Array || pixels instanceof Int16Array || pixels instanceof Int32Array
    const transform = modalityTransform(instance.dataset, slice.frame, signed)
    const out = data.subarray(k * nx * ny, (k + 1) * nx * ny)
    applyModality(pixels, transform, out)
    if (factor !== 1) for (let v = 0; v < out.length; v++) out[v] = out[v]! * factor
    unit ??= transform.unit
    options.onProgress?.(k + 1, nz)
  }
  return {
    shape: [nx, ny, nz],
    spacingMm: [first.plane.columnSpacingMm, first.plane.rowSpacingMm, length(stack.stepMm)],
    affine: stackAffine(first.plane, stack.stepMm),
    data,
    unit: asSuv ? 'SUVbw' : modality === 'CT' ? (unit ?? 'HU') : (unit ?? 'stored'),
    modality,
    sopInstanceUIDs: stack.slices.map(({ sopInstanceUID }) => sopInstanceUID),
    frames: stack.slices.map(({ frame }) => frame + 1),
    frameOfReferenceUID: text(dataset, '00200052'),
    notes: stack.problems,
  }
}

function datasetsOf(stack: Stack, instances: readonly VolumeInstance[]): DicomJsonDataset[] {
  return [...new Set(stack.slices.map(({ instance }) => instance))].map((index) => instances[index]!.dataset)
}
