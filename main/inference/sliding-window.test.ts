import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blendWeights, gaussianWeights, slidingWindow, tileStarts } from './sliding-window.ts'

const ignore = () => Promise.resolve()

describe('tile starts', () => {
  it('are those of the reference evaluation: steps of half a tile and one flush with the end', () => {
    expect(tileStarts(50, 64, 0.5)).toEqual([0])
    expect(tileStarts(64, 64, 0.5)).toEqual([0])
    expect(tileStarts(65, 64, 0.5)).toEqual([0, 1])
    expect(tileStarts(128, 64, 0.5)).toEqual([0, 32, 64])
    expect(tileStarts(150, 64, 0.5)).toEqual([0, 32, 64, 86])
    expect(tileStarts(10, 4, 0)).toEqual([0, 4, 6])
  })

  it('cover every voxel and never leave the volume', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 64 }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (length, tile, overlap) => {
          const covered = new Set<number>()
          for (const start of tileStarts(length, tile, overlap)) {
            if (length >= tile) expect(start + tile).toBeLessThanOrEqual(length)
            for (let i = 0; i < tile; i++) covered.add(start + i)
          }
          for (let i = 0; i < length; i++) expect(covered.has(i)).toBe(true)
        },
      ),
    )
  })
})

describe('Gaussian blending', () => {
  it('weighs a tile as a Gaussian of an eighth of its side', () => {
    const weights = gaussianWeights(64)
    // exp(−½ · (0.5 / 8)²) in the middle; the ends, exp(−½ · (31.5 / 8)²) = 0.00043, are raised to the floor.
    expect(weights[31]).toBeCloseTo(Math.exp(-0.001953125), 12)
    expect(weights[0]).toBe(1e-3)
    expect([...weights]).toEqual([...weights].toReversed())
  })

  it('sums to one at every voxel of any volume', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (length, tile, overlap) => {
          const starts = tileStarts(length, tile, overlap)
          const sum = new Float64Array(Math.max(length, tile))
          for (const [t, weights] of blendWeights(length, tile, starts).entries())
            for (const [i, weight] of weights.entries()) sum[starts[t]! + i]! += weight
          for (let i = 0; i < length; i++) expect(sum[i]).toBeCloseTo(1, 9)
        },
      ),
    )
  })

  it('blends two different answers by their weights', async () => {
    // Tiles of 2 over 3 voxels: starts 0 and 1. The first says 0, the second 1.
    let call = 0
    const out = await slidingWindow(
      new Float32Array(3),
      { size: [3, 1, 1], tile: [2, 1, 1], overlap: 0.5, channels: 1, padding: 0 },
      () => Promise.resolve(new Float32Array(2).fill(call++)),
      ignore,
    )
    expect([...out]).toEqual([0, 0.5, 1])
  })
})

describe('sliding window', () => {
  const sizes = fc.tuple(
    fc.integer({ min: 1, max: 13 }),
    fc.integer({ min: 1, max: 13 }),
    fc.integer({ min: 1, max: 13 }),
  )
  const tiles = fc.tuple(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 2, max: 9 }), fc.integer({ min: 2, max: 9 }))

  it('of a voxel-wise model is the model applied to the whole volume, per channel', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, tiles, fc.constantFrom(0, 0.25, 0.5, 0.75), async (size, tile, overlap) => {
        const volume = Float32Array.from({ length: size[0] * size[1] * size[2] }, (_, i) => Math.sin(i * 12.9898))
        const voxels = tile[0] * tile[1] * tile[2]
        const result = new Float32Array(2 * voxels)
        const out = await slidingWindow(
          volume,
          { size, tile, overlap, channels: 2, padding: 0 },
          (input) => {
            input.forEach((value, i) => {
              result[i] = value * value
              result[voxels + i] = 1 - value
            })
            return Promise.resolve(result)
          },
          ignore,
        )
        for (const [i, value] of volume.entries()) {
          expect(out[i]).toBeCloseTo(value * value, 5)
          expect(out[volume.length + i]).toBeCloseTo(1 - value, 5)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('pads the far end with the value given, anew for each tile', async () => {
    const seen: number[][] = []
    await slidingWindow(
      Float32Array.of(1, 2, 3),
      { size: [3, 1, 1], tile: [5, 1, 1], overlap: 0.5, channels: 1, padding: -7 },
      (input) => {
        seen.push([...input])
        return Promise.resolve(input)
      },
      ignore,
    )
    expect(seen).toEqual([[1, 2, 3, -7, -7]])
  })

  it('tells its progress and stops between tiles', async () => {
    const told: [number, number][] = []
    let ran = 0
    const run = slidingWindow(
      new Float32Array(9),
      { size: [9, 1, 1], tile: [3, 1, 1], overlap: 0, channels: 1, padding: 0 },
      (input) => {
        ran++
        return Promise.resolve(input)
      },
      (done, total) => {
        told.push([done, total])
        return done === 2 ? Promise.reject(new Error('cancelled')) : Promise.resolve()
      },
    )
    await expect(run).rejects.toThrow('cancelled')
    expect(told).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
    ])
    expect(ran).toBe(2)
  })
})
