import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelManifest } from '#common/model/manifest.ts'
import { modelDigest } from '../../models/package.ts'
import { meanGreyOnnx } from '../../models/testing/onnx.ts'
import { thresholdPackage, writePackage, type ThresholdOptions } from '../../models/testing/packages.ts'
import { affineFromColumns, applyAffine, type Affine, type Vector3 } from '../geometry/affine.ts'
import type { Size3 } from '../geometry/grid.ts'
import { classifyImages } from './classify.ts'
import type { RunContext } from './context.ts'
import { normalise, normaliseAll } from './intensity.ts'
import { segmentVolume, type SeriesVolume } from './segment.ts'
import { Sessions, type LoadedModel } from './sessions.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alcove-engine-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const context = (): RunContext => ({ pause: () => Promise.resolve(), progress: () => undefined, timings: [] })

let made = 0
async function load(options: ThresholdOptions, change?: (manifest: ModelManifest) => void): Promise<LoadedModel> {
  const directory = join(folder, `model-${made++}`)
  const manifest = await writePackage(directory, thresholdPackage(options))
  change?.(manifest)
  return new Sessions().get({ directory, digest: modelDigest(manifest), manifest }, 'cpu')
}

/** Two hot balls of SUV 8 and 12 in a background of 1, given by their centres and radii in mm. */
const BALLS: { centre: Vector3; radius: number; suv: number }[] = [
  { centre: [10, -20, 30], radius: 14, suv: 8 },
  { centre: [-35, 20, -20], radius: 10, suv: 12 },
]
const suvAt = (p: Vector3): number =>
  BALLS.find(({ centre, radius }) => Math.hypot(p[0] - centre[0], p[1] - centre[1], p[2] - centre[2]) <= radius)?.suv ??
  1

function volume(size: Size3, toLps: Affine, unit: SeriesVolume['unit'] = 'SUVbw'): SeriesVolume {
  const data = new Float32Array(size[0] * size[1] * size[2])
  for (let i = 0; i < data.length; i++)
    data[i] = suvAt(
      applyAffine(toLps, [i % size[0], Math.floor(i / size[0]) % size[1], Math.floor(i / size[0] / size[1])]),
    )
  return {
    grid: { size, toLps },
    data,
    unit,
    seriesInstanceUID: '1.2.3',
    slices: Array.from({ length: size[2] }, (_, i) => ({ sopInstanceUID: `1.2.3.${i + 1}`, dataset: {}, frame: null })),
    warnings: [],
  }
}

const AXIAL = affineFromColumns([3, 0, 0], [0, 3, 0], [0, 0, 3], [-60, -60, -60])

describe('segmentation of a volume', () => {
  it('finds both balls with their true volume, place and SUV, largest first', async () => {
    const model = await load({ tile: [16, 16, 16], spacingMm: [3, 3, 3] })
    const source = volume([41, 41, 41], AXIAL)
    const { findings, segmentation, warnings } = await segmentVolume(source, model, context())
    expect(warnings).toEqual([])
    expect(findings).toHaveLength(2)
    for (const [i, { centre, radius, suv }] of BALLS.entries()) {
      const found = findings[i]!
      const truth = source.data.filter((value) => value === suv).length
      expect(found.measurements).toMatchObject({ unit: 'SUVbw', voxels: truth, max: suv, mean: suv, sd: 0 })
      expect(found.volumeMl).toBeCloseTo(truth * 0.027, 9)
      expect(found.longestAxialDiameterMm! / (2 * radius)).toBeCloseTo(1, 0)
      for (const axis of [0, 1, 2] as const) expect(Math.abs(found.centreLps![axis] - centre[axis])).toBeLessThan(2)
      const slice = Math.round((found.centreLps![2] + 60) / 3)
      expect(found.sopInstanceUID).toBe(`1.2.3.${slice + 1}`)
      expect(found.confidence).toBeGreaterThan(0.99)
      expect(found).toMatchObject({ label: `Hot region ${i + 1}`, segmentNumber: i + 1, positive: true })
    }
    // By hand: of −61.5…61.5, x = 9 is in the middle third, y = −21 just below −20.5, z = 30 above 20.5.
    expect(findings[0]!.where).toMatch(/^central, anterior, upper third/)
    for (const [i, value] of source.data.entries())
      expect(segmentation!.labels[i]).toBe(value === 8 ? 1 : value === 12 ? 2 : 0)
  })

  it('gives the same answer for the same patient, whatever way the slices were stored', async () => {
    const model = await load({ tile: [16, 16, 16], spacingMm: [3, 3, 3] })
    const layouts: Affine[] = [
      AXIAL,
      affineFromColumns([-3, 0, 0], [0, -3, 0], [0, 0, 3], [60, 60, -60]),
      affineFromColumns([0, 3, 0], [0, 0, -3], [3, 0, 0], [-60, -60, 60]),
      affineFromColumns([0, 0, -3], [-3, 0, 0], [0, 3, 0], [60, -60, 60]),
    ]
    const answers = await Promise.all(
      layouts.map(async (toLps) => (await segmentVolume(volume([41, 41, 41], toLps), model, context())).findings),
    )
    const comparable = answers.map((findings) =>
      findings.map(({ label, volumeMl, centreLps, longestAxialDiameterMm, where, measurements }) => ({
        label,
        volumeMl: volumeMl?.toFixed(6),
        centreLps: centreLps?.map((mm) => mm.toFixed(4)),
        longest: longestAxialDiameterMm?.toFixed(6),
        where,
        measurements,
      })),
    )
    for (const other of comparable.slice(1)) expect(other).toEqual(comparable[0])
  })

  it('keeps volumes within a few per cent across an oblique grid and another voxel size', async () => {
    const model = await load({ tile: [24, 24, 24], spacingMm: [2, 2, 2], centreSuv: 4.5 })
    const [c, s] = [Math.cos(0.4), Math.sin(0.4)]
    const oblique = affineFromColumns(
      [3 * c, 3 * s, 0],
      [-3 * s, 3 * c, 0],
      [0, 0, 3],
      [-60 * c + 60 * s, -60 * s - 60 * c, -60],
    )
    const { findings } = await segmentVolume(volume([41, 41, 41], oblique), model, context())
    const [large] = findings
    expect(findings).toHaveLength(2)
    expect(large!.volumeMl! / ((4 / 3) * Math.PI * 1.4 ** 3)).toBeCloseTo(1, 1)
    for (const axis of [0, 1, 2] as const)
      expect(Math.abs(large!.centreLps![axis] - BALLS[0]!.centre[axis])).toBeLessThan(3)
  })

  it('drops regions smaller than the model asks for', async () => {
    const model = await load({ spacingMm: [3, 3, 3], minVolumeMl: 8 })
    const { findings } = await segmentVolume(volume([41, 41, 41], AXIAL), model, context())
    expect(findings.map(({ label }) => label)).toEqual(['Hot region'])
    expect(findings[0]!.volumeMl).toBeGreaterThan(8)
  })

  it('finds nothing in a cold volume, and makes no segmentation of it', async () => {
    const model = await load({ centreSuv: 15 })
    const { findings, segmentation } = await segmentVolume(volume([41, 41, 41], AXIAL), model, context())
    expect(findings).toEqual([])
    expect(segmentation).toBeNull()
  })

  it('refuses another unit and warns about coarse voxels', async () => {
    const model = await load({ spacingMm: [1, 1, 1], tile: [16, 16, 16] })
    await expect(segmentVolume(volume([5, 5, 5], AXIAL, 'stored'), model, context())).rejects.toMatchObject({
      code: 'model/not-applicable',
    })
    const { warnings } = await segmentVolume(volume([5, 5, 5], AXIAL), model, context())
    expect(warnings).toEqual([expect.stringMatching(/3\.00 × 3\.00 × 3\.00 mm.* larger than .*1 × 1 × 1 mm/)])
    const scoped = await load({ spacingMm: [3, 3, 3] }, (manifest) => {
      manifest.scope = { maxSpacingMm: 2 }
    })
    expect((await segmentVolume(volume([5, 5, 5], AXIAL), scoped, context())).warnings).toHaveLength(1)
  })

  it('hashes what the model was fed, so that other voxels or another preprocessing show', async () => {
    const model = await load({ spacingMm: [3, 3, 3] })
    const digest = async (source: SeriesVolume, by: LoadedModel) =>
      (await segmentVolume(source, by, context())).preprocessingDigest
    const first = await digest(volume([9, 9, 9], AXIAL), model)
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(await digest(volume([9, 9, 9], AXIAL), model)).toBe(first)
    const other = volume([9, 9, 9], AXIAL)
    other.data[17]! += 0.5
    expect(await digest(other, model)).not.toBe(first)
    const tiled = await load({ spacingMm: [3, 3, 3], overlap: 0.25 })
    expect(await digest(volume([9, 9, 9], AXIAL), tiled)).not.toBe(first)
  })

  it('stops when the run is cancelled', async () => {
    const model = await load({ spacingMm: [3, 3, 3] })
    let pauses = 0
    const stopping: RunContext = {
      ...context(),
      pause: () => (++pauses > 5 ? Promise.reject(new Error('cancelled')) : Promise.resolve()),
    }
    await expect(segmentVolume(volume([41, 41, 41], AXIAL), model, stopping)).rejects.toThrow('cancelled')
    expect(pauses).toBe(6)
  })
})

describe('classification of images', () => {
  it('scores each image after the display normalisation', async () => {
    const directory = join(folder, 'mean-grey')
    const base = thresholdPackage()
    const zero = 1 / (1 + Math.exp(-0))
    const manifest = await writePackage(directory, {
      onnx: meanGreyOnnx(4, 4),
      goldenInput: new Float32Array(16),
      goldenOutput: Float32Array.of(zero),
      manifest: {
        ...base.manifest,
        id: 'mean-grey',
        task: 'classification',
        dimensions: 2,
        inputs: [
          {
            ...base.manifest.inputs[0]!,
            modalities: ['DX'],
            unit: 'display',
            spacingMm: null,
            orientation: 'image',
            intensity: { kind: 'display-zscore', mean: 0.5, std: 0.25 },
            size: { width: 4, height: 4, fit: 'squeeze' },
            tiling: null,
          },
        ],
        outputs: [{ ...base.manifest.outputs[0]!, name: 'score', frame: 'image', threshold: 0.6 }],
        goldenCase: { ...base.manifest.goldenCase, inputShape: [1, 1, 4, 4], outputShape: [1, 1] },
      },
    })
    const model = await new Sessions().get({ directory, digest: modelDigest(manifest), manifest }, 'cpu')
    const grey = (value: number, width: number, height: number) => ({
      sopInstanceUID: `1.2.${width}`,
      width,
      height,
      pixels: new Float32Array(width * height).fill(value),
    })
    const { findings } = await classifyImages([grey(1, 4, 4), grey(0.5, 9, 30)], '1.2', model, context())
    // (1 − 0.5) / 0.25 = 2 → sigmoid 0.8808; 0 → 0.5, below the threshold.
    expect(findings[0]).toMatchObject({ kind: 'classification', positive: true, sopInstanceUID: '1.2.4', where: null })
    expect(findings[0]!.confidence).toBeCloseTo(0.880797, 5)
    expect(findings[1]!.confidence).toBeCloseTo(0.5, 5)
    expect(findings[1]!.positive).toBe(false)
  })
})

describe('intensity', () => {
  it('clips and scales as the manifest says', () => {
    expect(normalise(25, { kind: 'clip-scale', low: 0, high: 20 })).toBe(1)
    expect(normalise(-3, { kind: 'clip-scale', low: -10, high: 0 })).toBeCloseTo(0.7, 12)
    expect(normalise(400, { kind: 'clip-zscore', low: -1000, high: 300, mean: 50, std: 100 })).toBe(2.5)
    expect(normalise(0.25, { kind: 'display-zscore', mean: 0.5, std: 0.25 })).toBe(-1)
    const values = Float32Array.of(5, Number.NaN, 40)
    normaliseAll(values, { kind: 'clip-scale', low: 0, high: 20 }, 10)
    expect([...values]).toEqual([0.25, 0.5, 1])
  })
})
