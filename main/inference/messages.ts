import { z } from 'zod'
import { findingSchema, providerSchema, timingSchema } from '#common/contract/inference.ts'
import { ERROR_CODES, type ErrorCode } from '#common/errors.ts'
import { modelManifestSchema } from '#common/model/manifest.ts'

/**
 * What the main process and the inference process say to each other. Structured clone carries it (typed arrays as
 * they are); both sides parse what they receive.
 */
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'bytes')
const errorCode = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]])

const modelHandoverSchema = z.object({
  directory: z.string(),
  /** SHA-256 of model.onnx: the engine hashes what it loads and compares. */
  digest: z.string(),
  manifest: modelManifestSchema,
})

const runOrderSchema = z.object({
  model: modelHandoverSchema,
  provider: providerSchema,
  /** One study's file and key. The engine overwrites the key when the file is open. */
  capsule: z.object({ path: z.string(), key: bytes, cipher: z.enum(['aegis-256', 'sqlcipher']) }),
  seriesInstanceUID: z.string(),
  /** The series' instances by their place in the file, and the digest that tells an old page from a new one. */
  instances: z.array(z.object({ sopInstanceUID: z.string(), row: z.number().int(), root: bytes })),
  /** Goes into the SEG: application name and version. */
  app: z.string(),
})

export const hostMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('backends'), id: z.number().int() }),
  /** Starts a provider with one small convolution: does it run here, and how fast? */
  z.object({ type: z.literal('probe'), id: z.number().int(), provider: providerSchema }),
  /** Loads the model on the provider; with `golden`, checks it against the golden case and times it. */
  z.object({
    type: z.literal('prepare'),
    id: z.number().int(),
    model: modelHandoverSchema,
    provider: providerSchema,
    golden: z.boolean(),
  }),
  z.object({ type: z.literal('release'), id: z.number().int(), digest: z.string(), provider: providerSchema }),
  z.object({ type: z.literal('run'), id: z.number().int(), order: runOrderSchema }),
  /** Stops the request of that id as soon as the runtime lets go. */
  z.object({ type: z.literal('cancel'), id: z.number().int() }),
])

export const engineMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({
    type: z.literal('progress'),
    id: z.number().int(),
    done: z.number(),
    total: z.number().nullable(),
    note: z.string(),
  }),
  z.object({ type: z.literal('result'), id: z.number().int(), value: z.unknown() }),
  z.object({ type: z.literal('error'), id: z.number().int(), code: errorCode, message: z.string() }),
])

export const backendsResultSchema = z.object({
  /** E.g. "onnxruntime-node 1.30.0". */
  runtime: z.string(),
  /** Alcove's names of the providers this build of the runtime knows. */
  providers: z.array(providerSchema),
})

export const prepareResultSchema = z.object({
  loadMs: z.number(),
  /** Best of a few runs of the golden case once warm; null when it was not asked for. */
  warmMs: z.number().nullable(),
})

/** Time of one small convolution. */
export const probeResultSchema = z.object({ ms: z.number() })

export const nothingSchema = z.object({})

export const runResultSchema = z.object({
  findings: z.array(findingSchema),
  warnings: z.array(z.string()),
  timings: z.array(timingSchema),
  preprocessingDigest: z.string(),
  inputSopInstanceUIDs: z.array(z.string()),
  /** The SEG as a DICOM file; null for a classification or when nothing was found. */
  segmentation: z.object({ bytes, seriesInstanceUID: z.string(), sopInstanceUID: z.string() }).nullable(),
})

export type ModelHandover = z.infer<typeof modelHandoverSchema>
export type RunOrder = z.infer<typeof runOrderSchema>
type HostMessage = z.infer<typeof hostMessageSchema>
/** A request that gets one `result` or `error` back. */
export type EngineRequest = Exclude<HostMessage, { type: 'cancel' }>
export type EngineMessage = z.infer<typeof engineMessageSchema>
export type BackendsResult = z.infer<typeof backendsResultSchema>
export type PrepareResult = z.infer<typeof prepareResultSchema>
export type RunResult = z.infer<typeof runResultSchema>
