import { randomUUID } from 'node:crypto'
import { PROVIDERS, type InferenceRequest, type InferenceRun, type Provider } from '#common/contract/inference.ts'
import type { Settings } from '#common/contract/settings.ts'
import { AlcoveError, toAlcoveError } from '#common/errors.ts'
import { studyInstanceUID, type StudyInstanceUID } from '#common/ids.ts'
import { processEntry } from '../process-entry.ts'
import type { Importer, WritableStudies } from '../studies/types.ts'
import { chooseSeries } from './host/choose-series.ts'
import { createEngineHost } from './host/engine-host.ts'
import { chooseProvider, platformProviders, type LadderEngine, type Verdict } from './host/ladder.ts'
import { forkEngine, type EngineSpawner } from './host/spawner.ts'
import {
  backendsResultSchema,
  nothingSchema,
  prepareResultSchema,
  probeResultSchema,
  runResultSchema,
  type BackendsResult,
  type ModelHandover,
  type RunResult,
} from './messages.ts'
import type { InferenceService, InstalledPackage, ModelRegistry } from './types.ts'

export interface InferenceServiceOptions {
  studies: WritableStudies
  importer: Importer
  models: ModelRegistry
  settings: () => Pick<Settings, 'providerOrder'>
  /** Of the application, for the provenance and the SEG. */
  version: string
  /** How the inference process is started; Electron's shell gives its own. */
  spawner?: EngineSpawner
  entry?: URL
  /** The process ends after so long without work. */
  idleMs?: number
  /** The longest a run may give no sign of life. */
  stallMs?: number
}

/** A tile of a large model on a slow machine takes seconds; ten minutes of silence is a hang. */
const STALL_MS = 600_000
/** TensorRT builds its engine when it first meets a model, for minutes; the others start in seconds. */
const START_MS: Record<Provider, number> = {
  tensorrt: 900_000,
  cuda: 120_000,
  directml: 120_000,
  coreml: 300_000,
  webgpu: 120_000,
  cpu: 300_000,
}
const ANSWER_MS = 30_000
/** One small convolution; compiling it for a GPU takes a second or two. */
const PROBE_MS = 20_000

type RunOptions = NonNullable<Parameters<InferenceService['run']>[1]>

/**
 * Local inference on stored studies, one run at a time; the rest waits in order. The work is done by a process of its
 * own that sees one study's file and key.
 */
export function createInferenceService(options: InferenceServiceOptions): InferenceService {
  const { studies, importer, models, settings, version } = options
  const host = createEngineHost({
    spawner: options.spawner ?? forkEngine,
    entry: options.entry ?? processEntry('inference-engine'),
    ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
  })
  const verdicts = new Map<string, Verdict>()
  const app = `Alcove ${version}`
  let backends: BackendsResult | null = null
  let last: Promise<unknown> = Promise.resolve()

  async function runtime(signal?: AbortSignal): Promise<BackendsResult> {
    backends ??= await host.request({ type: 'backends' }, backendsResultSchema, { stallMs: ANSWER_MS, signal })
    return backends
  }

  /** Waits for its turn; a cancelled waiter leaves the queue at once. */
  function inTurn<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = last.then(work, work)
    last = turn.catch(() => undefined)
    if (signal === undefined) return turn
    const cancelled = Promise.withResolvers<never>()
    const onAbort = (): void => cancelled.reject(new AlcoveError('task/cancelled', 'The run was cancelled.'))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    // Whichever comes second has nobody waiting for it.
    cancelled.promise.catch(() => undefined)
    turn.catch(() => undefined)
    return Promise.race([turn, cancelled.promise]).finally(() => signal.removeEventListener('abort', onAbort))
  }

  function ladderEngine(model: ModelHandover, supported: Provider[], signal?: AbortSignal): LadderEngine {
    return {
      supported,
      prepare: (provider, golden) =>
        host.request({ type: 'prepare', model, provider, golden }, prepareResultSchema, {
          stallMs: START_MS[provider],
          signal,
        }),
      async probe(provider) {
        const { ms } = await host.request({ type: 'probe', provider }, probeResultSchema, {
          stallMs: PROBE_MS,
          signal,
        })
        return ms
      },
      async release(provider) {
        await host.request({ type: 'release', digest: model.digest, provider }, nothingSchema, {
          stallMs: ANSWER_MS,
          signal,
        })
      },
    }
  }

  async function execute(
    study: StudyInstanceUID,
    series: Awaited<ReturnType<typeof chooseSeries>>['seriesInstanceUID'],
    model: ModelHandover,
    provider: Provider,
    { signal, onProgress }: RunOptions,
  ): Promise<RunResult> {
    const instances = studies.capsuleInstances(study, series)
    const capsule = studies.capsuleAccess(study)
    const forgetKey = (): void => void capsule.key.fill(0)
    try {
      return await host.request(
        {
          type: 'run',
          order: { model, provider, capsule, seriesInstanceUID: series, instances, app },
        },
        runResultSchema,
        { signal, onProgress, stallMs: options.stallMs ?? STALL_MS, onSent: forgetKey },
      )
    } finally {
      forgetKey()
    }
  }

  async function storeSegmentation(result: RunResult, model: ModelHandover): Promise<InferenceRun['segmentation']> {
    if (result.segmentation === null) return null
    const { bytes, seriesInstanceUID, sopInstanceUID } = result.segmentation
    const name = `${model.manifest.id} ${model.manifest.version} segmentation`
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(bytes)
    }
    // From here on the result exists, so a cancellation no longer applies.
    const { rejected } = await importer.import([{ kind: 'stream', name, chunks: chunks() }])
    const [refused] = rejected
    if (refused !== undefined)
      throw new AlcoveError('inference/failed', `The segmentation could not be stored: ${refused.message}`)
    return { seriesInstanceUID, sopInstanceUID }
  }

  async function runNow(request: InferenceRequest, runOptions: RunOptions): Promise<InferenceRun> {
    const { signal, onProgress } = runOptions
    const startedAt = new Date()
    const began = performance.now()
    const study = studyInstanceUID(request.studyInstanceUID)
    const installed = await models.find(request.model, request.version)
    const chosen = await chooseSeries(studies, study, request.seriesInstanceUID, installed.manifest)
    const model: ModelHandover = {
      directory: installed.directory,
      digest: installed.digest,
      manifest: installed.manifest,
    }
    onProgress?.({ done: 0, total: null, note: 'Preparing the model' })
    const { runtime: runtimeName, providers } = await runtime(signal)
    const startedMs = performance.now() - began
    const choice = await chooseProvider(
      ladderEngine(model, providers, signal),
      settings().providerOrder ?? platformProviders(process.platform),
      request.provider,
      verdicts,
      (provider) => `${model.digest} ${provider} ${runtimeName}`,
    )
    const result = await execute(study, chosen.seriesInstanceUID, model, choice.provider, runOptions)
    if (signal?.aborted) throw new AlcoveError('task/cancelled', 'The run was cancelled.')
    onProgress?.({ done: 1, total: 1, note: 'Storing the result' })
    const storing = performance.now()
    const segmentation = await storeSegmentation(result, model)
    const run: InferenceRun = {
      id: randomUUID(),
      studyInstanceUID: study,
      seriesInstanceUID: chosen.seriesInstanceUID,
      status: 'done',
      findings: result.findings,
      provenance: {
        modelId: model.manifest.id,
        modelVersion: model.manifest.version,
        modelDigest: model.digest,
        provider: choice.provider,
        providerNotes: choice.notes,
        runtime: runtimeName,
        inputSopInstanceUIDs: result.inputSopInstanceUIDs,
        preprocessingDigest: result.preprocessingDigest,
        rolloutStage: stageOf(installed),
        startedAt: startedAt.toISOString(),
        app,
      },
      timings: [
        { step: 'start engine', ms: rounded(startedMs) },
        { step: 'choose provider', ms: rounded(choice.elapsedMs) },
        ...result.timings,
        { step: 'store', ms: rounded(performance.now() - storing) },
        { step: 'total', ms: rounded(performance.now() - began) },
      ],
      warnings: [...chosen.warnings, ...result.warnings],
      segmentation,
    }
    studies.saveInferenceRun(run)
    return run
  }

  return {
    async run(request, runOptions = {}) {
      return inTurn(async () => {
        if (runOptions.signal?.aborted) throw new AlcoveError('task/cancelled', 'The run was cancelled.')
        return runNow(request, runOptions)
      }, runOptions.signal)
    },

    async providers() {
      return inTurn(async () => {
        const { providers } = await runtime()
        const list: Awaited<ReturnType<InferenceService['providers']>> = []
        for (const provider of PROVIDERS.filter((one) => providers.includes(one))) {
          const outcome = await host
            .request({ type: 'probe', provider }, probeResultSchema, { stallMs: PROBE_MS })
            .catch((error: unknown) => toAlcoveError(error))
          if (outcome instanceof AlcoveError) list.push({ provider, available: false, note: outcome.message })
          else list.push({ provider, available: true, note: `A small convolution takes ${outcome.ms.toFixed(1)} ms.` })
        }
        return list
      })
    },

    async close() {
      await host.close()
    },
  }
}

function stageOf({ source }: InstalledPackage): InferenceRun['provenance']['rolloutStage'] {
  return source === 'bundled' ? 'reference' : 'stable'
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
