import { z } from 'zod'

/**
 * The model package format, version 1. A package is a folder (or a .zip of that folder) holding `manifest.json`,
 * `model.onnx`, `card.md` and the golden case's tensors.
 *
 * Tensor files are raw little-endian float32 in C order, first axis slowest. A 3-D model sees [1, C, D, H, W] with
 * D = z (slice), H = y (row), W = x (column); a 2-D model sees [1, C, H, W].
 */
export const MANIFEST_VERSION = 1

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex')
const relativePath = z
  .string()
  .regex(/^(?!.*(?:^|\/)\.\.(?:\/|$))[A-Za-z0-9_][A-Za-z0-9_.\-/]*$/, 'a relative path inside the package')

const intensitySchema = z.discriminatedUnion('kind', [
  /** y = (clip(x, low, high) − low) / (high − low), where x is in `unit`. */
  z.object({ kind: z.literal('clip-scale'), low: z.number(), high: z.number() }),
  /** y = (clip(x, low, high) − mean) / std. */
  z.object({
    kind: z.literal('clip-zscore'),
    low: z.number(),
    high: z.number(),
    mean: z.number(),
    std: z.number().positive(),
  }),
  /** The image after its VOI/presentation pipeline as 0–1 grey (MONOCHROME1 inverted), then (y − mean) / std. */
  z.object({ kind: z.literal('display-zscore'), mean: z.number(), std: z.number().positive() }),
])

const modelInputSchema = z.object({
  name: z.string().min(1),
  modalities: z.array(z.string().regex(/^[A-Z]{2,4}$/)).min(1),
  /** Unit of the values before `intensity`: SUVbw for PET, HU for CT, `display` for radiographs. */
  unit: z.enum(['SUVbw', 'HU', 'stored', 'display']),
  channels: z.number().int().min(1).max(16),
  /** Voxel size the model was trained at, [x, y, z] in mm; null keeps the image's own (2-D models resize to `size`). */
  spacingMm: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]).nullable(),
  /** Direction in which x, y and z grow, DICOM letters. `LPS`: x to the patient's left, y to posterior, z to superior. */
  orientation: z.enum(['LPS', 'image']),
  intensity: intensitySchema,
  /**
   * 2-D models: the image is resized to [width, height] as PIL's BILINEAR does (antialiased); `squeeze` gives up the
   * aspect ratio, `pad` keeps it, centred on black.
   */
  size: z
    .object({
      width: z.number().int().positive(),
      height: z.number().int().positive(),
      fit: z.enum(['squeeze', 'pad']),
    })
    .nullable(),
  /**
   * 3-D models: sliding window in voxels [x, y, z], blended with a Gaussian of an eighth of the tile's side; overlap as
   * a fraction of the tile. The volume keeps the corner of its outermost voxel when resampled and is padded at the far
   * ends. Null feeds the whole volume at once.
   */
  tiling: z
    .object({
      size: z.tuple([z.number().int().positive(), z.number().int().positive(), z.number().int().positive()]),
      overlap: z.number().min(0).max(0.9),
    })
    .nullable(),
})

const modelLabelSchema = z.object({
  value: z.number().int().min(1),
  name: z.string().min(1),
  /** 0–255 each. */
  colorRgb: z.tuple([
    z.number().int().min(0).max(255),
    z.number().int().min(0).max(255),
    z.number().int().min(0).max(255),
  ]),
  /** SNOMED CT (or other) codes for DICOM SEG: [code value, coding scheme, meaning]. */
  category: z.tuple([z.string(), z.string(), z.string()]),
  type: z.tuple([z.string(), z.string(), z.string()]),
})

const modelOutputSchema = z.object({
  name: z.string().min(1),
  /** `probability`: already through a sigmoid/softmax. `logit`: the engine applies the sigmoid. */
  activation: z.enum(['probability', 'logit']),
  labels: z.array(modelLabelSchema).min(1),
  /** Operating point on the probability, chosen on validation data. */
  threshold: z.number().min(0).max(1),
  /** Segmentation: components smaller than this are dropped. */
  minVolumeMl: z.number().min(0).optional(),
  frame: z.enum(['voxel', 'image']),
})

const goldenCaseSchema = z.object({
  input: relativePath,
  inputShape: z.array(z.number().int().positive()).min(2),
  output: relativePath,
  outputShape: z.array(z.number().int().positive()).min(1),
  /** A provider passes when every value is within absolute + relative·|expected|. */
  tolerance: z.object({ absolute: z.number().positive(), relative: z.number().min(0) }),
})

/**
 * What the model was made for beyond its modalities. A study outside is still read, with a warning in the result,
 * because headers are often wrong or empty; what a model must never be fed is refused by modality, unit and geometry.
 */
const modelScopeSchema = z.object({
  ageYears: z.object({ min: z.number().min(0), max: z.number().positive() }).optional(),
  /** View Position (0018,5101) values, e.g. PA and AP. Images that state another view are left out. */
  viewPositions: z
    .array(z.string().regex(/^[A-Z]+$/))
    .min(1)
    .optional(),
  /** Body Part Examined (0018,0015) values. */
  bodyParts: z
    .array(z.string().regex(/^[A-Z]+$/))
    .min(1)
    .optional(),
  /** Source voxels longer than this on any axis are warned about. */
  maxSpacingMm: z.number().positive().optional(),
})

export const modelManifestSchema = z.object({
  manifestVersion: z.literal(MANIFEST_VERSION),
  id: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  title: z.string().min(1),
  summary: z.string().min(1),
  task: z.enum(['segmentation', 'classification']),
  dimensions: z.union([z.literal(2), z.literal(3)]),
  inputs: z.array(modelInputSchema).min(1),
  outputs: z.array(modelOutputSchema).min(1),
  goldenCase: goldenCaseSchema,
  scope: modelScopeSchema.optional(),
  licence: z.string().min(1),
  intendedUse: z.string().min(1),
  /** SHA-256 of every file of the package but manifest.json itself. */
  files: z.record(relativePath, sha256),
})

export type ModelManifest = z.infer<typeof modelManifestSchema>
export type ModelInput = z.infer<typeof modelInputSchema>
export type ModelLabel = z.infer<typeof modelLabelSchema>
export type Intensity = z.infer<typeof intensitySchema>
