import { describe, expect, it } from 'vitest'
import type { Provider } from '#common/contract/inference.ts'
import { AlcoveError } from '#common/errors.ts'
import { chooseProvider, platformProviders, type LadderEngine, type Verdict } from './ladder.ts'

type Behaviour = number | AlcoveError

/** An engine whose providers take so many ms on the golden case, or fail so. */
function engineWith(behaviours: Partial<Record<Provider, Behaviour>>, probes: Partial<Record<Provider, number>> = {}) {
  const calls: string[] = []
  const engine: LadderEngine = {
    supported: Object.keys(behaviours) as Provider[],
    prepare: (provider, golden) => {
      calls.push(`${provider}${golden ? ' golden' : ''}`)
      const behaviour = behaviours[provider]!
      if (behaviour instanceof AlcoveError) return Promise.reject(behaviour)
      return Promise.resolve({ loadMs: 1, warmMs: golden ? behaviour : null })
    },
    probe: (provider) => {
      const behaviour = behaviours[provider]!
      return behaviour === absent ? Promise.reject(behaviour) : Promise.resolve(probes[provider] ?? 5)
    },
    release: (provider) => {
      calls.push(`release ${provider}`)
      return Promise.resolve()
    },
  }
  return { engine, calls }
}

const linux = platformProviders('linux')
const wrong = new AlcoveError('model/golden-case-failed', 'it did not reproduce the golden case.')
const absent = new AlcoveError('inference/provider-unavailable', 'a library is missing.')
const choose = (
  engine: LadderEngine,
  { asked = null, verdicts = new Map() }: { asked?: Provider | null; verdicts?: Map<string, Verdict> } = {},
) => chooseProvider(engine, linux, asked, verdicts, (provider) => provider)

describe('provider ladder', () => {
  it('takes the first that starts, computes right and is faster than the CPU', async () => {
    const { engine, calls } = engineWith({ cuda: 3, webgpu: 5, cpu: 30 })
    const choice = await choose(engine)
    expect(choice.provider).toBe('cuda')
    expect(choice.notes).toEqual(['TensorRT could not start: this build of the runtime does not hold it.'])
    // WebGPU is never tried, and the CPU's copy of the model is let go.
    expect(calls).toEqual(['cuda golden', 'cpu golden', 'release cpu'])
  })

  it('refuses aloud what computes wrong', async () => {
    const { engine } = engineWith({ tensorrt: absent, cuda: wrong, webgpu: wrong, cpu: 30 })
    const choice = await choose(engine)
    expect(choice.provider).toBe('cpu')
    expect(choice.notes).toEqual([
      'TensorRT could not start: a library is missing.',
      'CUDA was refused: it did not reproduce the golden case.',
      'WebGPU was refused: it did not reproduce the golden case.',
    ])
  })

  it('passes over WebGPU in software without waiting for its golden case', async () => {
    const { engine, calls } = engineWith({ webgpu: 840, cpu: 35 }, { webgpu: 762, cpu: 8 })
    const choice = await choose(engine)
    expect(choice.provider).toBe('cpu')
    expect(choice.notes.at(-1)).toBe(
      'WebGPU runs in software here (a small convolution took 762 ms against 8.0 ms on the CPU).',
    )
    expect(calls).toEqual(['cpu golden'])
  })

  it('passes over an accelerator that is right but slower than the CPU', async () => {
    const { engine, calls } = engineWith({ webgpu: 840, cpu: 35 })
    const choice = await choose(engine)
    expect(choice.provider).toBe('cpu')
    expect(choice.notes.at(-1)).toBe(
      'WebGPU computes right but is slower than the CPU here (golden case 840 ms against 35 ms).',
    )
    expect(calls).toContain('release webgpu')
  })

  it('takes a provider asked for by name, slow or not, and no other in its place', async () => {
    const { engine, calls } = engineWith({ webgpu: 840, cuda: wrong, cpu: 35 })
    expect((await choose(engine, { asked: 'webgpu' })).provider).toBe('webgpu')
    expect(calls).toEqual(['webgpu golden'])
    await expect(choose(engine, { asked: 'cuda' })).rejects.toMatchObject({ code: 'model/golden-case-failed' })
    await expect(choose(engine, { asked: 'coreml' })).rejects.toMatchObject({ code: 'inference/provider-unavailable' })
  })

  it('remembers what it found, and only loads the second time', async () => {
    const verdicts = new Map<string, Verdict>()
    const { engine, calls } = engineWith({ cuda: wrong, webgpu: 840, cpu: 35 })
    const first = await choose(engine, { verdicts })
    calls.length = 0
    const second = await choose(engine, { verdicts })
    expect(second).toMatchObject({ provider: 'cpu', notes: first.notes })
    expect(calls).toEqual(['cpu'])
  })

  it('survives a provider that crashes its process, but not a broken model', async () => {
    const crash = new AlcoveError('inference/engine-crashed', 'gone')
    expect(await choose(engineWith({ webgpu: crash, cpu: 35 }).engine)).toMatchObject({
      provider: 'cpu',
      notes: expect.arrayContaining(['WebGPU crashed while starting.']),
    })
    const altered = new AlcoveError('model/digest-mismatch', 'altered')
    await expect(choose(engineWith({ webgpu: altered, cpu: 35 }).engine)).rejects.toBe(altered)
    // That the CPU's process died once is told, and not remembered.
    const verdicts = new Map<string, Verdict>()
    await expect(choose(engineWith({ cpu: crash }).engine, { verdicts })).rejects.toBe(crash)
    expect((await choose(engineWith({ cpu: 35 }).engine, { verdicts })).provider).toBe('cpu')
  })

  it('says which failed when none is left', async () => {
    await expect(choose(engineWith({ cuda: absent, cpu: wrong }).engine)).rejects.toMatchObject({
      code: 'model/golden-case-failed',
      message: expect.stringContaining('The CPU was refused'),
    })
  })
})
