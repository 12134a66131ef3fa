import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { affineFromColumns, applyAffine, composeAffine, invertAffine, type Vector3 } from './affine.ts'
import { axesByLps, modelGrid, spacingOf, voxelCount, voxelVolumeMl, type Grid } from './grid.ts'
import { planResample, resampleVolume } from './resample.ts'

const noPause = () => Promise.resolve()
const resample = (from: Grid, to: Grid, data: Float32Array, outside: number | 'edge' = 0) =>
  resampleVolume(planResample(from, to, outside), data, noPause)

function fill(grid: Grid, f: (lps: Vector3) => number): Float32Array {
  const [nx, ny, nz] = grid.size
  const data = new Float32Array(voxelCount(grid))
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) data[(z * ny + y) * nx + x] = f(applyAffine(grid.toLps, [x, y, z]))
  return data
}

/** Rotation about x by a, then about z by b. */
function rotation(a: number, b: number): [Vector3, Vector3, Vector3] {
  const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)]
  return [
    [cb, sb, 0],
    [-sb * ca, cb * ca, sa],
    [sb * sa, -cb * sa, ca],
  ]
}

const scaled = (v: Vector3, by: number): Vector3 => [v[0] * by, v[1] * by, v[2] * by]

const gridArbitrary = fc
  .record({
    size: fc.tuple(fc.integer({ min: 4, max: 9 }), fc.integer({ min: 4, max: 9 }), fc.integer({ min: 4, max: 9 })),
    spacing: fc.tuple(
      fc.double({ min: 0.5, max: 5, noNaN: true }),
      fc.double({ min: 0.5, max: 5, noNaN: true }),
      fc.double({ min: 0.5, max: 5, noNaN: true }),
    ),
    angles: fc.tuple(fc.double({ min: -3, max: 3, noNaN: true }), fc.double({ min: -3, max: 3, noNaN: true })),
    flips: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    origin: fc.tuple(fc.integer({ min: -200, max: 200 }), fc.integer({ min: -200, max: 200 }), fc.integer()),
  })
  .map(({ size, spacing, angles, flips, origin }): Grid => {
    const axes = rotation(...angles)
    const columns = axes.map((axis, i) => scaled(axis, spacing[i]! * (flips[i] ? -1 : 1)))
    const [ox, oy, oz] = origin
    return { size, toLps: affineFromColumns(columns[0]!, columns[1]!, columns[2]!, [ox, oy, oz % 1000]) }
  })

/** A source of 6 × 5 × 4 voxels of 2 × 3 × 4 mm whose axes run along ±LPS in the order and with the signs given. */
function alignedGrid(order: readonly [number, number, number], signs: readonly [number, number, number]): Grid {
  const spacing = [2, 3, 4]
  const columns = order.map((lps, axis) => {
    const column: [number, number, number] = [0, 0, 0]
    column[lps] = spacing[axis]! * signs[axis]!
    return column
  })
  return { size: [6, 5, 4], toLps: affineFromColumns(columns[0]!, columns[1]!, columns[2]!, [-10, 7, 100]) }
}

const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const

describe('affine', () => {
  it('inverts and composes', () => {
    fc.assert(
      fc.property(gridArbitrary, fc.tuple(fc.integer(), fc.integer(), fc.integer()), ({ toLps }, [a, b, c]) => {
        const point: Vector3 = [a % 100, b % 100, c % 100]
        const back = applyAffine(invertAffine(toLps), applyAffine(toLps, point))
        const composed = applyAffine(composeAffine(invertAffine(toLps), toLps), point)
        for (const i of [0, 1, 2] as const) {
          expect(back[i]).toBeCloseTo(point[i], 6)
          expect(composed[i]).toBeCloseTo(point[i], 6)
        }
      }),
    )
  })

  it('refuses a grid whose axes coincide', () => {
    expect(() => invertAffine(affineFromColumns([1, 0, 0], [2, 0, 0], [0, 0, 1], [0, 0, 0]))).toThrow(RangeError)
  })
})

describe('model grid', () => {
  it('of an unrotated axial source with the same spacing is the source', () => {
    const source = alignedGrid([0, 1, 2], [1, 1, 1])
    const target = modelGrid(source, 'LPS', [2, 3, 4])
    expect(target.size).toEqual([6, 5, 4])
    for (const [i, value] of target.toLps.entries()) expect(value).toBeCloseTo(source.toLps[i]!, 9)
    expect(planResample(source, target, 0).identity).toBe(true)
  })

  it('shares the corner of the outermost voxel, not the centre of the first, and covers the extent', () => {
    // 6 voxels of 2 mm from −10: faces at −11 and 1; with 5 mm voxels 3 are needed, the first centred on −8.5.
    const target = modelGrid(alignedGrid([0, 1, 2], [1, 1, 1]), 'LPS', [5, 5, 5])
    expect(target.size).toEqual([3, 3, 4])
    expect(applyAffine(target.toLps, [0, 0, 0])[0]).toBeCloseTo(-8.5, 9)
    const own = modelGrid(alignedGrid([0, 1, 2], [1, 1, 1]), 'image', [5, 5, 5])
    expect(own.size).toEqual([3, 3, 4])
    for (const [i, value] of own.toLps.entries()) expect(value).toBeCloseTo(target.toLps[i]!, 9)
  })

  it('covers every voxel of an oblique source', () => {
    fc.assert(
      fc.property(gridArbitrary, (source) => {
        const target = modelGrid(source, 'LPS', [3, 3, 3])
        const inverse = invertAffine(target.toLps)
        for (const x of [0, source.size[0] - 1])
          for (const y of [0, source.size[1] - 1])
            for (const z of [0, source.size[2] - 1]) {
              const index = applyAffine(inverse, applyAffine(source.toLps, [x, y, z]))
              for (const i of [0, 1, 2] as const) {
                expect(index[i]).toBeGreaterThanOrEqual(-0.5 - 1e-6)
                expect(index[i]).toBeLessThanOrEqual(target.size[i] - 0.5 + 1e-6)
              }
            }
      }),
    )
  })

  it('knows which axis is which, and what a voxel holds', () => {
    const sagittal = alignedGrid([1, 2, 0], [1, -1, 1])
    expect(axesByLps(sagittal)).toEqual([2, 0, 1])
    expect(spacingOf(sagittal)).toEqual([2, 3, 4])
    expect(voxelVolumeMl(sagittal)).toBeCloseTo(0.024, 12)
  })
})

describe('resampling', () => {
  it('onto the same grid changes nothing', async () => {
    const grid = alignedGrid([0, 1, 2], [1, 1, 1])
    const data = Float32Array.from({ length: voxelCount(grid) }, (_, i) => Math.sin(i))
    expect(await resample(grid, grid, data)).toEqual(data)
  })

  it('shows the model the same volume whatever way the source lies', async () => {
    // Every order and sign of axes holds the same field; on the LPS grid they must agree with the field itself.
    const field = ([x, y, z]: Vector3) => 0.3 * x - 0.7 * y + 0.11 * z + 5
    for (const order of ORDERS)
      for (const signs of [
        [1, 1, 1],
        [-1, 1, 1],
        [1, -1, -1],
        [-1, -1, -1],
      ] as const) {
        const source = alignedGrid(order, signs)
        const target = modelGrid(source, 'LPS', null)
        expect(voxelCount(target)).toBe(120)
        const seen = await resample(source, target, fill(source, field))
        const expected = fill(target, field)
        for (const [i, value] of seen.entries()) expect(value).toBeCloseTo(expected[i]!, 4)
        // And back, exactly: flips and permutations move voxels, they do not blend them.
        expect(await resample(target, source, seen)).toEqual(fill(source, field))
      }
  })

  it('reproduces a linear field between oblique grids, where both have voxels', async () => {
    await fc.assert(
      fc.asyncProperty(gridArbitrary, async (source) => {
        const field = ([x, y, z]: Vector3) => 0.05 * x + 0.02 * y - 0.03 * z
        const target = modelGrid(source, 'LPS', [2, 2, 2])
        const seen = await resample(source, target, fill(source, field), Number.NaN)
        const expected = fill(target, field)
        const inverse = invertAffine(source.toLps)
        const [nx, ny] = target.size
        let compared = 0
        for (const [i, value] of seen.entries()) {
          const voxel: Vector3 = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / nx / ny)]
          const at = applyAffine(inverse, applyAffine(target.toLps, voxel))
          const inside = at.every((c, axis) => c >= 0 && c <= source.size[axis]! - 1)
          const outside = at.some((c, axis) => c < -0.51 || c > source.size[axis]! - 0.49)
          if (inside) {
            compared++
            // float32 voxels of magnitude up to some tens.
            expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-3)
          }
          if (outside) expect(value).toBeNaN()
        }
        // 'edge' has a value everywhere.
        const edged = await resample(source, target, fill(source, field), 'edge')
        expect(edged.every((value) => Number.isFinite(value))).toBe(true)
        return compared >= 0
      }),
      { numRuns: 40 },
    )
  })

  it('comes back from an oblique round trip close to where it began', async () => {
    const axes = rotation(0.3, -0.5)
    const source: Grid = {
      size: [24, 22, 20],
      toLps: affineFromColumns(scaled(axes[0], 2), scaled(axes[1], 2), scaled(axes[2], 3), [5, -60, 12]),
    }
    const centre = applyAffine(source.toLps, [12, 11, 10])
    const blob = (p: Vector3) =>
      Math.exp(-((p[0] - centre[0]) ** 2 + (p[1] - centre[1]) ** 2 + (p[2] - centre[2]) ** 2) / 200)
    const data = fill(source, blob)
    const target = modelGrid(source, 'LPS', [1, 1, 1])
    const back = await resample(target, source, await resample(source, target, data), 'edge')
    const worst = Math.max(...back.map((value, i) => Math.abs(value - data[i]!)))
    expect(worst).toBeLessThan(0.02)
    expect(worst).toBeGreaterThan(0)
  })

  it('agrees between the fast path for aligned grids and the general one', async () => {
    const source = alignedGrid([2, 0, 1], [-1, 1, -1])
    const data = Float32Array.from({ length: 120 }, (_, i) => (i * 7919) % 101)
    const target = modelGrid(source, 'LPS', [1.7, 2.3, 3.1])
    const plan = planResample(source, target, -1)
    expect(plan.tables).not.toBeNull()
    const fast = await resampleVolume(plan, data, noPause)
    const general = await resampleVolume({ ...plan, tables: null, identity: false }, data, noPause)
    for (const [i, value] of fast.entries()) expect(value).toBeCloseTo(general[i]!, 3)
  })

  it('halves a ramp by hand: 4 voxels of 1 mm seen as 2 of 2 mm', async () => {
    const line = (n: number, spacing: number, start: number): Grid => ({
      size: [n, 1, 1],
      toLps: affineFromColumns([spacing, 0, 0], [0, 1, 0], [0, 0, 1], [start, 0, 0]),
    })
    const source = line(4, 1, 0)
    const target = modelGrid(source, 'LPS', [2, 1, 1])
    // Centres at 0.5 and 2.5: midway between 10 and 20, and between 40 and 80.
    expect([...(await resample(source, target, Float32Array.of(10, 20, 40, 80)))]).toEqual([15, 60])
    // Back: the 2 mm centres are 0.5 and 2.5, so 0 → edge 15, 1 → ¾·15 + ¼·60, 2 → ¼·15 + ¾·60, 3 → edge 60.
    expect([...(await resample(target, source, Float32Array.of(15, 60), 'edge'))]).toEqual([15, 26.25, 48.75, 60])
  })

  it('stops between slabs when the pause throws', async () => {
    const grid: Grid = { size: [1024, 1024, 3], toLps: affineFromColumns([1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]) }
    let pauses = 0
    const run = resampleVolume(planResample(grid, grid, 0), new Float32Array(voxelCount(grid)), () => {
      pauses++
      return pauses === 2 ? Promise.reject(new Error('stop')) : Promise.resolve()
    })
    await expect(run).rejects.toThrow('stop')
    expect(pauses).toBe(2)
  })
})
