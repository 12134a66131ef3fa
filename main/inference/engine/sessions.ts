import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import type { Provider } from '#common/contract/inference.ts'
import { AlcoveError } from '#common/errors.ts'
import type { ModelManifest } from '#common/model/manifest.ts'
import { MODEL_FILE } from '../../models/package.ts'
import type { ModelHandover, PrepareResult } from '../messages.ts'

/** Alcove's names and the runtime's. */
const BACKENDS: Record<Provider, string> = {
  tensorrt: 'tensorrt',
  cuda: 'cuda',
  directml: 'dml',
  coreml: 'coreml',
  webgpu: 'webgpu',
  cpu: 'cpu',
}

export function supportedProviders(): Provider[] {
  const names = ort.listSupportedBackends().map(({ name }) => name)
  return (Object.keys(BACKENDS) as Provider[]).filter((provider) => names.includes(BACKENDS[provider]))
}

export function runtimeName(): string {
  return `onnxruntime-node ${ort.env.versions.node ?? 'unknown'}`
}

/** The runtime's message in a sentence: what it commonly means, otherwise its last clause without source locations. */
function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  if (/adapter|VK_ERROR|vkCreateInstance/i.test(text)) return 'no graphics adapter was found.'
  if (/load(ing)? (shared )?library/i.test(text)) return 'its libraries are not installed.'
  const line = (text.split('\n')[0] ?? '').replace(/^.*\d+ [\w:~<>() &]*?\(.*?\) /, '').trim()
  return line === '' ? 'no reason given.' : line.slice(0, 200)
}

async function createSession(model: Uint8Array, provider: Provider): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(model, {
      executionProviders: [BACKENDS[provider]],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: availableParallelism(),
      // Errors only: its warnings go to the terminal and concern nobody there.
      logSeverityLevel: 3,
    })
  } catch (error) {
    throw new AlcoveError('inference/provider-unavailable', reason(error), { cause: error })
  }
}

/** A model loaded on one provider, with input and output memory made once and used for every tile. */
export interface LoadedModel {
  manifest: ModelManifest
  /**
   * Feeds `input`, laid out as `shape`, and returns the output's values, which the next call overwrites.
   * @throws inference/failed
   */
  run(input: Float32Array, shape: readonly number[]): Promise<Float32Array>
  /** Shape of the last output. */
  outputShape(): readonly number[]
}

interface Entry extends LoadedModel {
  session: ort.InferenceSession
}

function loadedModel(manifest: ModelManifest, session: ort.InferenceSession): Entry {
  const inputName = manifest.inputs[0]!.name
  const outputName = manifest.outputs[0]!.name
  if (!session.inputNames.includes(inputName) || !session.outputNames.includes(outputName))
    throw new AlcoveError(
      'model/invalid-package',
      `model.onnx has no input ${inputName} or no output ${outputName}, which the manifest names.`,
    )
  // The input tensor wraps the caller's array; making it anew only when that changes keeps the loop free of allocation.
  let input: ort.Tensor | null = null
  let output: ort.Tensor | null = null
  return {
    manifest,
    session,
    async run(values, shape) {
      if (input?.data !== values || input.dims.join() !== shape.join()) {
        input = new ort.Tensor('float32', values, shape)
        output = null
      }
      try {
        const results: ort.InferenceSession.OnnxValueMapType = await session.run(
          { [inputName]: input },
          output === null ? [outputName] : { [outputName]: output },
        )
        const result = results[outputName]
        if (!(result?.data instanceof Float32Array)) throw new Error('the output is not float32')
        output ??= new ort.Tensor('float32', result.data, result.dims)
        return output.data as Float32Array
      } catch (error) {
        throw new AlcoveError('inference/failed', `The model could not be run: ${reason(error)}`, { cause: error })
      }
    },
    outputShape: () => output?.dims ?? [],
  }
}

function littleEndianFloats(bytes: Buffer): Float32Array {
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4))
}

const TIMED_RUNS = 3
/** Timing stops here: a slow model has been timed well enough by then. */
const TIMING_BUDGET_MS = 150

/**
 * Runs the golden case and compares every value.
 * @returns the best time of the warm runs, ms
 * @throws model/golden-case-failed
 */
async function checkGoldenCase(model: LoadedModel, directory: string): Promise<number> {
  const { goldenCase } = model.manifest
  const input = littleEndianFloats(await readFile(join(directory, goldenCase.input)))
  const expected = littleEndianFloats(await readFile(join(directory, goldenCase.output)))
  const found = await model.run(input, goldenCase.inputShape)
  if (model.outputShape().join() !== goldenCase.outputShape.join())
    throw new AlcoveError(
      'model/golden-case-failed',
      `the golden case gave an output of shape ${model.outputShape().join(' × ')} instead of ${goldenCase.outputShape.join(' × ')}.`,
    )
  const { absolute, relative } = goldenCase.tolerance
  let wrong = 0
  let worst = 0
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs(found[i]! - value)
    // Written so that a NaN counts as wrong.
    if (!(difference <= absolute + relative * Math.abs(value))) wrong++
    if (!(difference <= worst)) worst = difference
  }
  if (wrong > 0)
    throw new AlcoveError(
      'model/golden-case-failed',
      `it did not reproduce the model's golden case (${wrong} of ${expected.length} values are off, by up to ${worst.toPrecision(2)}).`,
    )
  let best = Infinity
  const begun = performance.now()
  for (let run = 0; run < TIMED_RUNS && performance.now() - begun < TIMING_BUDGET_MS; run++) {
    const start = performance.now()
    await model.run(input, goldenCase.inputShape)
    best = Math.min(best, performance.now() - start)
  }
  return best
}

/** The models loaded in this process. */
export class Sessions {
  readonly #loaded = new Map<string, Entry>()

  /** @throws inference/provider-unavailable, model/golden-case-failed, model/digest-mismatch, file/unreadable */
  async prepare(model: ModelHandover, provider: Provider, golden: boolean): Promise<PrepareResult> {
    const start = performance.now()
    const entry = await this.#load(model, provider)
    const loadMs = performance.now() - start
    if (!golden) return { loadMs, warmMs: null }
    try {
      return { loadMs, warmMs: await checkGoldenCase(entry, model.directory) }
    } catch (error) {
      await this.release(model.digest, provider)
      throw error
    }
  }

  /** The model, loaded now if it is not yet. */
  async get(model: ModelHandover, provider: Provider): Promise<LoadedModel> {
    return this.#load(model, provider)
  }

  async release(digest: string, provider: Provider): Promise<void> {
    const key = `${digest} ${provider}`
    const entry = this.#loaded.get(key)
    this.#loaded.delete(key)
    await entry?.session.release()
  }

  async #load(model: ModelHandover, provider: Provider): Promise<Entry> {
    const key = `${model.digest} ${provider}`
    const known = this.#loaded.get(key)
    if (known !== undefined) return known
    const bytes = await readFile(join(model.directory, MODEL_FILE)).catch((error: unknown) => {
      throw new AlcoveError('file/unreadable', 'model.onnx cannot be read; install the model again.', { cause: error })
    })
    // What is hashed is what is run: the file may have changed since the registry looked.
    if (createHash('sha256').update(bytes).digest('hex') !== model.digest)
      throw new AlcoveError('model/digest-mismatch', 'model.onnx was altered; install the model again.')
    const entry = loadedModel(model.manifest, await createSession(bytes, provider))
    this.#loaded.set(key, entry)
    return entry
  }
}

/**
 * y = |x + w ∗ x| with sixteen channels of 24³ and w a 3³ kernel of zeros: 96 million multiplications, answer |x|.
 * Opset 17, written with main/models/testing/onnx.ts.
 */
export const PROBE_MODEL = Buffer.from(
  'CAgSDGFsY292ZSB0ZXN0czryAQoXCgFzEgF3Ig9Db25zdGFudE9mU2hhcGUKPwoBeAoBdxIBYyIEQ29udioXCgxrZXJuZWxfc2hhcGVAA0ADQAOgAQcqFQoEcGFkc0ABQAFAAUABQAFAAaABBwoOCgF4CgFjEgFhIgNBZGQKCwoBYRIBeSIDQWJzEgR0ZXN0KjEIBRAHQgFzSigQAAAAAAAAABAAAAAAAAAAAwAAAAAAAAADAAAAAAAAAAMAAAAAAAAAWh8KAXgSGgoYCAESFAoCCAEKAggQCgIIGAoCCBgKAggYYh8KAXkSGgoYCAESFAoCCAEKAggQCgIIGAoCCBgKAggYQgQKABAR',
  'base64',
)
const PROBE_SHAPE = [1, 16, 24, 24, 24]

/**
 * Starts a provider with one small convolution and times it, ms: tells whether it runs here, and whether it runs in
 * software. The first run, which compiles, is not counted.
 * @throws inference/provider-unavailable
 */
export async function probe(provider: Provider): Promise<number> {
  const session = await createSession(PROBE_MODEL, provider)
  try {
    const x = new ort.Tensor(
      'float32',
      new Float32Array(PROBE_SHAPE.reduce((n, side) => n * side, 1)).fill(-1.5),
      PROBE_SHAPE,
    )
    await session.run({ x })
    const start = performance.now()
    const { y } = await session.run({ x })
    const ms = performance.now() - start
    if (y?.data.length !== x.data.length || !(y.data as Float32Array).every((value) => value === 1.5))
      throw new Error('it computes wrong.')
    return ms
  } catch (error) {
    throw new AlcoveError('inference/provider-unavailable', reason(error), { cause: error })
  } finally {
    await session.release()
  }
}
