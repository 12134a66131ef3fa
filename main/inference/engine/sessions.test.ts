import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { modelDigest } from '../../models/package.ts'
import { writeOnnx } from '../../models/testing/onnx.ts'
import { thresholdPackage, writePackage } from '../../models/testing/packages.ts'
import { PROBE_MODEL, probe, runtimeName, Sessions, supportedProviders } from './sessions.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alcove-sessions-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the runtime', () => {
  it('names itself and what it holds', () => {
    expect(runtimeName()).toMatch(/^onnxruntime-node \d+\.\d+\.\d+$/)
    expect(supportedProviders()).toContain('cpu')
  })

  it('is probed with one small convolution, whose bytes are those of the model described', async () => {
    const shape = [1, 16, 24, 24, 24]
    const described = writeOnnx({
      nodes: [
        { op: 'ConstantOfShape', inputs: ['s'], outputs: ['w'] },
        {
          op: 'Conv',
          inputs: ['x', 'w'],
          outputs: ['c'],
          attributes: { kernel_shape: [3, 3, 3], pads: [1, 1, 1, 1, 1, 1] },
        },
        { op: 'Add', inputs: ['x', 'c'], outputs: ['a'] },
        { op: 'Abs', inputs: ['a'], outputs: ['y'] },
      ],
      initializers: [{ name: 's', shape: [5], values: BigInt64Array.of(16n, 16n, 3n, 3n, 3n) }],
      input: { name: 'x', shape },
      output: { name: 'y', shape },
    })
    expect(PROBE_MODEL.equals(described)).toBe(true)
    expect(await probe('cpu')).toBeGreaterThan(0)
  })
})

describe('a loaded model', () => {
  it('uses one output buffer for all tiles, and takes another input array or shape when given one', async () => {
    const directory = join(folder, 'free-shape')
    const content = thresholdPackage({ tile: [2, 2, 2], centreSuv: 10 })
    const manifest = await writePackage(directory, content)
    const sessions = new Sessions()
    const model = await sessions.get({ directory, manifest, digest: modelDigest(manifest) }, 'cpu')
    const shape = [1, 1, 2, 2, 2]
    const input = new Float32Array(8).fill(0.5)
    const first = await model.run(input, shape)
    // At the centre of the threshold, sigmoid(0).
    expect([...first]).toEqual(Array.from({ length: 8 }, () => 0.5))
    input.fill(1)
    const second = await model.run(input, shape)
    expect(second).toBe(first)
    expect(second[0]).toBeCloseTo(1, 6)
    const other = await model.run(new Float32Array(8), shape)
    expect(other).not.toBe(first)
    expect(other[0]).toBeCloseTo(0, 6)
    await expect(model.run(new Float32Array(27), [1, 1, 3, 3, 3])).rejects.toMatchObject({ code: 'inference/failed' })
    await sessions.release(modelDigest(manifest), 'cpu')
  })

  it('must have the input and output its manifest names', async () => {
    const directory = join(folder, 'misnamed')
    const content = thresholdPackage({})
    content.manifest.outputs[0]!.name = 'lesion'
    const manifest = await writePackage(directory, content)
    await expect(
      new Sessions().get({ directory, manifest, digest: modelDigest(manifest) }, 'cpu'),
    ).rejects.toMatchObject({ code: 'model/invalid-package', message: expect.stringContaining('lesion') })
  })
})
