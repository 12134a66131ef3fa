import type { Provider } from '#common/contract/inference.ts'
import { AlcoveError, isAlcoveError } from '#common/errors.ts'
import type { PrepareResult } from '../messages.ts'

/** Fastest first, by what each platform's build of the runtime can hold. */
export function platformProviders(platform: NodeJS.Platform): Provider[] {
  if (platform === 'win32') return ['directml', 'webgpu', 'cpu']
  if (platform === 'darwin') return ['coreml', 'webgpu', 'cpu']
  return ['tensorrt', 'cuda', 'webgpu', 'cpu']
}

/** What is known of a provider for one model and runtime, for as long as the application runs. */
export type Verdict = { ok: true; warmMs: number } | { ok: false; code: AlcoveError['code']; note: string }

export interface LadderEngine {
  /** Providers this build of the runtime knows. */
  supported: readonly Provider[]
  /** ms of one small convolution. Throws what the engine throws. */
  probe(provider: Provider): Promise<number>
  /** Loads the model; with `golden` it must reproduce the golden case. Throws what the engine throws. */
  prepare(provider: Provider, golden: boolean): Promise<PrepareResult>
  release(provider: Provider): Promise<void>
}

export interface Choice {
  provider: Provider
  /** One sentence for each provider that was passed over, and why. */
  notes: string[]
  /** Loading and checking, all providers tried. */
  elapsedMs: number
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`

const NAMES: Record<Provider, string> = {
  tensorrt: 'TensorRT',
  cuda: 'CUDA',
  directml: 'DirectML',
  coreml: 'CoreML',
  webgpu: 'WebGPU',
  cpu: 'The CPU',
}

/** Reasons that are not a provider's fault end the search. */
const FINAL: readonly AlcoveError['code'][] = [
  'task/cancelled',
  'model/digest-mismatch',
  'model/invalid-package',
  'file/unreadable',
]

function describe(provider: Provider, error: AlcoveError): string {
  if (error.code === 'model/golden-case-failed') return `${NAMES[provider]} was refused: ${error.message}`
  if (error.code === 'inference/engine-crashed') return `${NAMES[provider]} crashed while starting.`
  if (error.code === 'task/timeout') return `${NAMES[provider]} did not start in time.`
  return `${NAMES[provider]} could not start: ${error.message}`
}

type Refusal = Verdict & { ok: false }

function refusal(provider: Provider, error: unknown): Refusal {
  if (!isAlcoveError(error) || FINAL.includes(error.code)) throw error
  // The CPU always exists: that its process died or hung says nothing about the next run.
  if (provider === 'cpu' && (error.code === 'inference/engine-crashed' || error.code === 'task/timeout')) throw error
  return { ok: false, code: error.code, note: describe(provider, error) }
}

/** A GPU is at worst a few times slower than the CPU on a small convolution; a GPU imitated in software, a hundred times. */
const SOFTWARE_FACTOR = 10

/**
 * Starts the provider for the first time and holds it against the golden case. With `againstCpu`, a small convolution
 * comes first: on a machine whose Vulkan runs in software the golden case alone would take minutes.
 */
async function judge(engine: LadderEngine, provider: Provider, againstCpu: boolean): Promise<Verdict> {
  try {
    if (!engine.supported.includes(provider))
      throw new AlcoveError('inference/provider-unavailable', 'this build of the runtime does not hold it.')
    if (againstCpu) {
      const [own, cpu] = [await engine.probe(provider), await engine.probe('cpu')]
      if (own > SOFTWARE_FACTOR * cpu)
        return {
          ok: false,
          code: 'inference/provider-unavailable',
          note: `${NAMES[provider]} runs in software here (a small convolution took ${ms(own)} against ${ms(cpu)} on the CPU).`,
        }
    }
    const { warmMs } = await engine.prepare(provider, true)
    return { ok: true, warmMs: warmMs ?? 0 }
  } catch (error) {
    return refusal(provider, error)
  }
}

/**
 * Tries the providers in order. Each must be held by the runtime, start, and reproduce the golden case; what was found
 * is remembered in `verdicts` under `remember(provider)`. An accelerator that is slower than the CPU on the golden
 * case is passed over too: WebGPU on a machine without a GPU computes right, in software, at a tenth of the speed.
 * A provider asked for by name (`asked`) is the only one tried, fast or not.
 * @throws inference/provider-unavailable, model/golden-case-failed when none is left
 */
export async function chooseProvider(
  engine: LadderEngine,
  order: readonly Provider[],
  asked: Provider | null,
  verdicts: Map<string, Verdict>,
  remember: (provider: Provider) => string,
): Promise<Choice> {
  const started = performance.now()
  const notes: string[] = []
  const candidates = asked === null ? order : [asked]
  let failed: Refusal = { ok: false, code: 'inference/provider-unavailable', note: '' }
  const refuse = (provider: Provider, verdict: Refusal): void => {
    verdicts.set(remember(provider), verdict)
    notes.push(verdict.note)
    // A wrong result is the graver finding: it is the one told when nothing is left.
    if (failed.code !== 'model/golden-case-failed') failed = verdict
  }
  const verdictOn = async (provider: Provider): Promise<{ verdict: Verdict; fresh: boolean }> => {
    const known = verdicts.get(remember(provider))
    if (known !== undefined) return { verdict: known, fresh: false }
    const cpuToo = asked === null && provider !== 'cpu' && order.includes('cpu')
    const verdict = await judge(engine, provider, cpuToo)
    verdicts.set(remember(provider), verdict)
    return { verdict, fresh: true }
  }
  for (const [rung, provider] of candidates.entries()) {
    const { verdict, fresh } = await verdictOn(provider)
    if (!verdict.ok) {
      refuse(provider, verdict)
      continue
    }
    if (provider !== 'cpu' && candidates.includes('cpu', rung + 1)) {
      const cpu = await verdictOn('cpu')
      if (cpu.verdict.ok && cpu.verdict.warmMs < verdict.warmMs) {
        if (fresh) await engine.release(provider)
        notes.push(
          `${NAMES[provider]} computes right but is slower than the CPU here (golden case ${ms(verdict.warmMs)} against ${ms(cpu.verdict.warmMs)}).`,
        )
        continue
      }
      if (cpu.fresh) await engine.release('cpu')
    }
    try {
      // The process may have been started anew since the verdict.
      if (!fresh) await engine.prepare(provider, false)
      return { provider, notes, elapsedMs: performance.now() - started }
    } catch (error) {
      refuse(provider, refusal(provider, error))
    }
  }
  const code = failed.code === 'model/golden-case-failed' ? failed.code : 'inference/provider-unavailable'
  throw new AlcoveError(code, `No provider can run this model. ${notes.join(' ')}`)
}
