import { z } from 'zod'
import { modelManifestSchema } from '../model/manifest.ts'

export const PROVIDERS = ['tensorrt', 'cuda', 'directml', 'coreml', 'webgpu', 'cpu'] as const
export const providerSchema = z.enum(PROVIDERS)

const vector3 = z.tuple([z.number(), z.number(), z.number()])

/** One thing a model says about a study. */
export const findingSchema = z.object({
  id: z.string(),
  label: z.string(),
  kind: z.enum(['region', 'classification']),
  /** Probability 0–1: mean over the region's voxels, or the class score. */
  confidence: z.number().min(0).max(1),
  positive: z.boolean(),
  seriesInstanceUID: z.string(),
  sopInstanceUID: z.string().nullable(),
  /** Anatomical place in words, as far as geometry tells it; null when nothing is known. */
  where: z.string().nullable(),
  volumeMl: z.number().nullable(),
  /** Voxel nearest the centre of mass that lies in the region, DICOM patient coordinates (LPS), mm. */
  centreLps: vector3.nullable(),
  /** Longest in-plane diameter over axial slices, mm. */
  longestAxialDiameterMm: z.number().nullable(),
  /** Measured on the source series: SUVbw or HU. */
  measurements: z
    .object({ unit: z.string(), max: z.number(), mean: z.number(), sd: z.number(), voxels: z.number().int() })
    .nullable(),
  segmentNumber: z.number().int().nullable(),
  review: z.enum(['pending', 'accepted', 'rejected']),
})

export const timingSchema = z.object({ step: z.string(), ms: z.number() })

const provenanceSchema = z.object({
  modelId: z.string(),
  modelVersion: z.string(),
  /** SHA-256 of model.onnx. */
  modelDigest: z.string(),
  provider: providerSchema,
  /** Why this provider and not one earlier in the ladder, one sentence each. */
  providerNotes: z.array(z.string()),
  runtime: z.string(),
  inputSopInstanceUIDs: z.array(z.string()),
  /** SHA-256 over the manifest's input block and the tensor fed to the model. */
  preprocessingDigest: z.string(),
  rolloutStage: z.enum(['reference', 'shadow', 'canary', 'stable']),
  startedAt: z.string(),
  app: z.string(),
})

export const inferenceRunSchema = z.object({
  id: z.string(),
  studyInstanceUID: z.string(),
  seriesInstanceUID: z.string(),
  status: z.enum(['done', 'failed', 'cancelled']),
  findings: z.array(findingSchema),
  provenance: provenanceSchema,
  timings: z.array(timingSchema),
  warnings: z.array(z.string()),
  /** The SEG object stored in the same study; null for a classification or when nothing was found. */
  segmentation: z.object({ seriesInstanceUID: z.string(), sopInstanceUID: z.string() }).nullable(),
})

export const inferenceRequestSchema = z.object({
  studyInstanceUID: z.string(),
  /** Null lets the model's input description choose. */
  seriesInstanceUID: z.string().nullable().default(null),
  model: z.string(),
  version: z.string().nullable().default(null),
  provider: providerSchema.nullable().default(null),
})

export const installedModelSchema = z.object({
  id: z.string(),
  version: z.string(),
  title: z.string(),
  summary: z.string(),
  task: modelManifestSchema.shape.task,
  modalities: z.array(z.string()),
  digest: z.string(),
  source: z.enum(['bundled', 'installed']),
})

export type Provider = z.infer<typeof providerSchema>
export type Finding = z.infer<typeof findingSchema>
export type Timing = z.infer<typeof timingSchema>
export type InferenceRun = z.infer<typeof inferenceRunSchema>
export type InferenceRequest = z.infer<typeof inferenceRequestSchema>
export type InstalledModel = z.infer<typeof installedModelSchema>
