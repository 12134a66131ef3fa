import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import type { Timing } from '#common/contract/inference.ts'
import { modelDigest, readManifest } from '../../models/package.ts'
import type { RunContext } from './context.ts'
import { segmentVolume, type SeriesVolume } from './segment.ts'
import { Sessions, type LoadedModel } from './sessions.ts'

export interface OverheadMeasurement {
  tiles: number
  /** onnxruntime's own run() over all tiles' tensors, in a loop with nothing else. */
  bareMs: number
  /** The engine's inference step over the same volume: cutting, running, blending, letting cancellations in. */
  inferenceMs: number
  /** All steps of the run but reading the series: resampling there and back, hashing, regions and their measurements too. */
  totalMs: number
  timings: Timing[]
}

const quiet = (): RunContext => ({
  pause: () => new Promise((resolve) => setImmediate(resolve)),
  progress: () => undefined,
  timings: [],
})

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/**
 * What running a model through the engine costs over the bare runtime, on the CPU, for benchmarks. Both are measured
 * `repeats` times, taking turns in one process, and the medians given.
 */
export async function measureOverhead(
  volume: SeriesVolume,
  modelDirectory: string,
  repeats = 5,
): Promise<OverheadMeasurement> {
  const manifest = await readManifest(modelDirectory)
  const model = await new Sessions().get({ directory: modelDirectory, digest: modelDigest(manifest), manifest }, 'cpu')
  const tensors: ort.Tensor[] = []
  const recording: LoadedModel = {
    ...model,
    run(input, shape) {
      tensors.push(new ort.Tensor('float32', Float32Array.from(input), shape))
      return model.run(input, shape)
    },
  }
  // This round records the tiles and warms up.
  await segmentVolume(volume, recording, quiet())
  const session = await ort.InferenceSession.create(await readFile(join(modelDirectory, 'model.onnx')), {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: availableParallelism(),
  })
  const name = manifest.inputs[0]!.name
  await session.run({ [name]: tensors[0]! })
  const bare: number[] = []
  const runs: Timing[][] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    const start = performance.now()
    for (const tensor of tensors) await session.run({ [name]: tensor })
    bare.push(performance.now() - start)
    const context = quiet()
    await segmentVolume(volume, model, context)
    runs.push(context.timings)
  }
  await session.release()
  const total = (timings: Timing[]): number => timings.reduce((sum, { ms }) => sum + ms, 0)
  const inference = (timings: Timing[]): number => timings.find(({ step }) => step === 'inference')?.ms ?? 0
  const typical = runs.toSorted((a, b) => total(a) - total(b))[Math.floor(runs.length / 2)] ?? []
  return {
    tiles: tensors.length,
    bareMs: median(bare),
    inferenceMs: median(runs.map(inference)),
    totalMs: median(runs.map(total)),
    timings: typical,
  }
}
