import type { Affine } from '#common/dicom/geometry.ts'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import type { DecodedFrame } from '../types.ts'
import type { StackProblem } from './stacks.ts'

/** What a volume is made of: an instance's header and a way to its pixels. */
export interface VolumeInstance {
  dataset: DicomJsonDataset
  /** Frames with pixels; 1 for classic objects. */
  frames: number
  transferSyntaxUID: string
  /** Decodes the 0-based frame. */
  decode: (frame: number) => Promise<DecodedFrame>
}

export interface VolumeGrid {
  /** Columns, rows, slices. */
  shape: [nx: number, ny: number, nz: number]
  /** Distance of neighbouring columns, rows, slices (along the step, not the normal, where they differ). */
  spacingMm: [x: number, y: number, z: number]
  /** (i, j, k) → millimetres in LPS. */
  affine: Affine
}

export interface Volume extends VolumeGrid {
  /** Voxel (i, j, k) at i + nx·(j + ny·k), in `unit`. */
  data: Float32Array
  /** HU, SUVbw, the header's own rescale type, or "stored" when the header names no unit. */
  unit: string
  modality: string
  /** Of each slice, in order of k; the same UID for all frames of one object. */
  sopInstanceUIDs: string[]
  /** 1-based frame of each slice in its instance. */
  frames: number[]
  frameOfReferenceUID: string | null
  /** Not blocking: what a reader of a result should know (tilt, duplicates left out, other stacks of the series). */
  notes: StackProblem[]
}
