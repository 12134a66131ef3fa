import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { modelDigest } from '../../models/package.ts'
import { thresholdPackage, writePackage, type ThresholdOptions } from '../../models/testing/packages.ts'
import { processEntry } from '../../process-entry.ts'
import { backendsResultSchema, prepareResultSchema, probeResultSchema, type ModelHandover } from '../messages.ts'
import { createEngineHost, type EngineHost, type EngineHostOptions } from './engine-host.ts'
import { engineEnvironment, forkEngine } from './spawner.ts'

let folder: string
let host: EngineHost | null = null
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alcove-host-'))
})
afterEach(async () => {
  await host?.close()
  host = null
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const start = (options: Partial<EngineHostOptions> = {}): EngineHost => {
  host = createEngineHost({ spawner: forkEngine, entry: processEntry('inference-engine'), ...options })
  return host
}

let made = 0
async function handover(options: ThresholdOptions): Promise<ModelHandover> {
  const directory = join(folder, `model-${made++}`)
  const manifest = await writePackage(directory, thresholdPackage(options))
  return { directory, manifest, digest: modelDigest(manifest) }
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const STALL = { stallMs: 20_000 }
/** Seconds of work in one call of the runtime, which nothing can interrupt. */
const SLOW: ThresholdOptions = { tile: [64, 64, 64], slowLayers: 12, slowChannels: 48 }

describe('the inference process', () => {
  it('starts on demand, tells its runtime and providers, and runs the CPU', async () => {
    const engine = start()
    expect(engine.pid).toBeNull()
    const { runtime, providers } = await engine.request({ type: 'backends' }, backendsResultSchema, STALL)
    expect(runtime).toBe('onnxruntime-node 1.30.0')
    expect(providers).toContain('cpu')
    expect(engine.pid).not.toBe(process.pid)
    const { ms } = await engine.request({ type: 'probe', provider: 'cpu' }, probeResultSchema, STALL)
    expect(ms).toBeGreaterThan(0)
    const absent = providers.includes('coreml') ? 'directml' : 'coreml'
    await expect(engine.request({ type: 'probe', provider: absent }, probeResultSchema, STALL)).rejects.toMatchObject({
      code: 'inference/provider-unavailable',
    })
  })

  it('loads a model that reproduces its golden case, and times it', async () => {
    const message = { type: 'prepare', model: await handover({}), provider: 'cpu', golden: true } as const
    const result = await start().request(message, prepareResultSchema, STALL)
    expect(result.warmMs).toBeGreaterThan(0)
    expect(result.warmMs).toBeLessThan(1000)
  })

  it('refuses a model that computes something else than its golden case says', async () => {
    const message = {
      type: 'prepare',
      model: await handover({ goldenError: 0.01 }),
      provider: 'cpu',
      golden: true,
    } as const
    await expect(start().request(message, prepareResultSchema, STALL)).rejects.toMatchObject({
      code: 'model/golden-case-failed',
      message: expect.stringContaining('4096 of 4096 values are off, by up to 0.010'),
    })
  })

  it('refuses a model file that is not the one the registry verified', async () => {
    const model = await handover({})
    await writeFile(join(model.directory, 'model.onnx'), 'something else')
    const message = { type: 'prepare', model, provider: 'cpu', golden: true } as const
    await expect(start().request(message, prepareResultSchema, STALL)).rejects.toMatchObject({
      code: 'model/digest-mismatch',
    })
  })

  it('that is killed gives an error, and the next request gets a new process', async () => {
    const engine = start()
    await engine.request({ type: 'backends' }, backendsResultSchema, STALL)
    const first = engine.pid!
    const model = await handover(SLOW)
    const busy = engine.request({ type: 'prepare', model, provider: 'cpu', golden: true }, prepareResultSchema, STALL)
    setTimeout(() => process.kill(first, 'SIGKILL'), 100)
    await expect(busy).rejects.toMatchObject({ code: 'inference/engine-crashed' })
    await engine.request({ type: 'backends' }, backendsResultSchema, STALL)
    expect(engine.pid).not.toBe(first)
  })

  it('is cancelled within 200 ms, even in the middle of a long call of the runtime', async () => {
    const engine = start()
    await engine.request({ type: 'backends' }, backendsResultSchema, STALL)
    const pid = engine.pid!
    const model = await handover(SLOW)
    const controller = new AbortController()
    const busy = engine.request({ type: 'prepare', model, provider: 'cpu', golden: true }, prepareResultSchema, {
      ...STALL,
      signal: controller.signal,
    })
    let cancelledAt = 0
    setTimeout(() => {
      cancelledAt = performance.now()
      controller.abort()
    }, 200)
    await expect(busy).rejects.toMatchObject({ code: 'task/cancelled' })
    // 150 ms of grace; the rest is what a loaded machine needs.
    expect(performance.now() - cancelledAt).toBeLessThan(600)
    await engine.request({ type: 'backends' }, backendsResultSchema, STALL)
    expect(engine.pid).not.toBe(pid)
    expect(alive(pid)).toBe(false)
    const before = AbortSignal.abort()
    await expect(
      engine.request({ type: 'backends' }, backendsResultSchema, { ...STALL, signal: before }),
    ).rejects.toMatchObject({ code: 'task/cancelled' })
  })

  it('that gives no sign in time is ended', async () => {
    const engine = start()
    await engine.request({ type: 'backends' }, backendsResultSchema, STALL)
    const model = await handover(SLOW)
    await expect(
      engine.request({ type: 'prepare', model, provider: 'cpu', golden: true }, prepareResultSchema, { stallMs: 300 }),
    ).rejects.toMatchObject({ code: 'task/timeout' })
    await engine.request({ type: 'backends' }, backendsResultSchema, STALL)
  })

  it('that does not start is an error, not a wait', async () => {
    const broken = join(folder, 'broken.mjs')
    await writeFile(broken, 'process.exit(3)')
    await expect(
      start({ entry: pathToFileURL(broken) }).request({ type: 'backends' }, backendsResultSchema, STALL),
    ).rejects.toMatchObject({ code: 'inference/engine-crashed' })
    const silent = join(folder, 'silent.mjs')
    await writeFile(silent, 'setInterval(() => {}, 1000)')
    await expect(
      start({ entry: pathToFileURL(silent), startMs: 300 }).request({ type: 'backends' }, backendsResultSchema, STALL),
    ).rejects.toMatchObject({ code: 'inference/engine-crashed' })
  })

  it('ends when it has been idle, and with the application', async () => {
    const engine = start({ idleMs: 200 })
    await engine.request({ type: 'backends' }, backendsResultSchema, STALL)
    const pid = engine.pid!
    expect(alive(pid)).toBe(true)
    await expect.poll(() => engine.pid, { timeout: 5000 }).toBeNull()
    expect(alive(pid)).toBe(false)
    await engine.request({ type: 'backends' }, backendsResultSchema, STALL)
    const second = engine.pid!
    await engine.close()
    expect(alive(second)).toBe(false)
  })

  it('is not told the settings and secrets in the environment', () => {
    process.env['ALCOVE_TEST_SECRET'] = 'x'
    expect(Object.keys(engineEnvironment()).filter((name) => name.startsWith('ALCOVE'))).toEqual([])
    expect(engineEnvironment()['PATH']).toBe(process.env['PATH'])
    delete process.env['ALCOVE_TEST_SECRET']
  })
})
