import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Provider } from '#common/contract/inference.ts'
import { modelDigest } from '../models/package.ts'
import { thresholdPackage, writePackage } from '../models/testing/packages.ts'
import { processEntry } from '../process-entry.ts'
import { createEngineHost, type EngineHost } from './host/engine-host.ts'
import { chooseProvider, type LadderEngine } from './host/ladder.ts'
import { forkEngine } from './host/spawner.ts'
import { nothingSchema, prepareResultSchema, probeResultSchema, type ModelHandover } from './messages.ts'

/** Debian's Chromium brings SwiftShader, a Vulkan in software: WebGPU runs on it, correct and slow. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json'
const STALL = { stallMs: 60_000 }

let host: EngineHost
let folder: string
let webgpu: { ms: number } | null = null
const before = process.env['VK_ICD_FILENAMES']

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alcove-webgpu-'))
  if (existsSync(SWIFTSHADER)) process.env['VK_ICD_FILENAMES'] = SWIFTSHADER
  host = createEngineHost({ spawner: forkEngine, entry: processEntry('inference-engine') })
  webgpu = await host.request({ type: 'probe', provider: 'webgpu' }, probeResultSchema, STALL).catch(() => null)
})
afterAll(async () => {
  if (before === undefined) delete process.env['VK_ICD_FILENAMES']
  else process.env['VK_ICD_FILENAMES'] = before
  await host.close()
  await rm(folder, { recursive: true, force: true })
})

async function model(name: string, goldenError = 0): Promise<ModelHandover> {
  const directory = join(folder, name)
  const manifest = await writePackage(directory, thresholdPackage({ slowLayers: 2, slowChannels: 4, goldenError }))
  return { directory, manifest, digest: modelDigest(manifest) }
}

function ladder(handover: ModelHandover): LadderEngine {
  return {
    supported: ['webgpu', 'cpu'],
    probe: async (provider) => (await host.request({ type: 'probe', provider }, probeResultSchema, STALL)).ms,
    prepare: (provider, golden) =>
      host.request({ type: 'prepare', model: handover, provider, golden }, prepareResultSchema, STALL),
    release: async (provider) => {
      await host.request({ type: 'release', digest: handover.digest, provider }, nothingSchema, STALL)
    },
  }
}

const choose = async (handover: ModelHandover, asked: Provider | null) =>
  chooseProvider(ladder(handover), ['webgpu', 'cpu'], asked, new Map(), (provider) => provider)

describe('WebGPU', () => {
  it('reproduces the golden case of a 3-D convolution model when it is asked for', async (context) => {
    if (webgpu === null) context.skip('no Vulkan here: needs a GPU, or chromium and libvulkan1')
    const choice = await choose(await model('right'), 'webgpu')
    expect(choice).toMatchObject({ provider: 'webgpu', notes: [] })
  })

  it('is refused when it does not', async (context) => {
    if (webgpu === null) context.skip('no Vulkan here: needs a GPU, or chromium and libvulkan1')
    await expect(choose(await model('wrong', 0.1), 'webgpu')).rejects.toMatchObject({
      code: 'model/golden-case-failed',
      message: expect.stringContaining('WebGPU was refused'),
    })
  })

  it('in software is passed over for the CPU, aloud', async (context) => {
    if (webgpu === null || !existsSync(SWIFTSHADER)) context.skip('no software Vulkan here: needs chromium, libvulkan1')
    const choice = await choose(await model('software'), null)
    expect(choice.provider).toBe('cpu')
    expect(choice.notes).toEqual([expect.stringMatching(/^WebGPU runs in software here \(a small convolution took/)])
    // The decision costs a few seconds at most, once.
    expect(choice.elapsedMs).toBeLessThan(30_000)
  })

  it('without any Vulkan cannot start, and the CPU takes over', async (context) => {
    if (process.platform !== 'linux') context.skip('only Linux finds its Vulkan through this variable')
    process.env['VK_ICD_FILENAMES'] = join(folder, 'none.json')
    await host.close()
    const choice = await choose(await model('none'), null)
    expect(choice).toMatchObject({
      provider: 'cpu',
      notes: ['WebGPU could not start: no graphics adapter was found.'],
    })
  })
})
