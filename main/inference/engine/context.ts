import { createHash } from 'node:crypto'
import type { Timing } from '#common/contract/inference.ts'
import type { ModelInput } from '#common/model/manifest.ts'

/** What every step of a run is given. */
export interface RunContext {
  /** Lets messages in; throws task/cancelled when the run was cancelled. Call it at least every 50 ms of work. */
  pause: () => Promise<void>
  progress: (done: number, total: number | null, note: string) => void
  timings: Timing[]
}

/** Runs one step and notes how long it took. */
export async function timed<T>(context: RunContext, step: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now()
  try {
    return await work()
  } finally {
    context.timings.push({ step, ms: Math.round((performance.now() - start) * 100) / 100 })
  }
}

/** Bytes hashed between two chances to stop. */
const HASH_CHUNK = 32 * 1024 * 1024

/** SHA-256 over the manifest's input block (as JSON, keys in the schema's order) and the tensors fed to the model. */
export async function preprocessingDigest(
  input: ModelInput,
  tensors: readonly Float32Array[],
  context: RunContext,
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(input))
  for (const tensor of tensors) {
    const bytes = new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength)
    for (let at = 0; at < bytes.length; at += HASH_CHUNK) {
      await context.pause()
      hash.update(bytes.subarray(at, at + HASH_CHUNK))
    }
  }
  return hash.digest('hex')
}
