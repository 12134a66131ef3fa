import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { affineFromColumns } from '../geometry/affine.ts'
import type { Grid, Size3 } from '../geometry/grid.ts'
import { connectedComponents, forEachRun, type Connectivity, type Region } from './components.ts'
import { longestAxialDiameter, measureRegion } from './measure.ts'
import { whereInWords } from './where.ts'

const grid = (size: Size3, spacing: readonly [number, number, number] = [1, 1, 1]): Grid => ({
  size,
  toLps: affineFromColumns([spacing[0], 0, 0], [0, spacing[1], 0], [0, 0, spacing[2]], [0, 0, 0]),
})

function indices(region: Region, [nx, ny]: Size3): number[] {
  const list: number[] = []
  forEachRun(region, ny, (z, y, first, end) => {
    for (let x = first; x < end; x++) list.push((z * ny + y) * nx + x)
  })
  return list
}

/** The definition itself: flood fill over neighbours, voxel by voxel. */
function floodFill(mask: boolean[], [nx, ny, nz]: Size3, connectivity: Connectivity): number[][] {
  const seen = new Set<number>()
  const found: number[][] = []
  for (const [start, set] of mask.entries()) {
    if (!set || seen.has(start)) continue
    const stack = [start]
    const region: number[] = []
    seen.add(start)
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      region.push(at)
      const [x, y, z] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / nx / ny)]
      for (const dz of [-1, 0, 1])
        for (const dy of [-1, 0, 1])
          for (const dx of [-1, 0, 1]) {
            if (connectivity === 6 && Math.abs(dx) + Math.abs(dy) + Math.abs(dz) !== 1) continue
            const [u, v, w] = [x + dx, y + dy, z + dz]
            if (u < 0 || v < 0 || w < 0 || u >= nx || v >= ny || w >= nz) continue
            const next = (w * ny + v) * nx + u
            if (mask[next] === true && !seen.has(next)) {
              seen.add(next)
              stack.push(next)
            }
          }
    }
    found.push(region.toSorted((a, b) => a - b))
  }
  return found
}

describe('connected components', () => {
  it.each([6, 26] as const)('with %i neighbours are those of a flood fill, in the same order', (connectivity) => {
    const side = fc.integer({ min: 1, max: 7 })
    fc.assert(
      fc.property(
        fc.tuple(side, side, side),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        fc.double({ min: 0.1, max: 0.6, noNaN: true }),
        (size, stream, density) => {
          const mask = Array.from({ length: size[0] * size[1] * size[2] }, () => stream.next().value! < density)
          const regions = connectedComponents((index) => mask[index]!, size, connectivity)
          expect(regions.map((region) => indices(region, size))).toEqual(floodFill(mask, size, connectivity))
          for (const region of regions) expect(region.voxels).toBe(indices(region, size).length)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('keeps diagonal neighbours apart with 6 and together with 26', () => {
    // (1,0,0) and (0,1,0) share an edge; (0,0,0) of the next slice shares a face with neither.
    const set = new Set([1, 2])
    expect(connectedComponents((i) => set.has(i), [2, 2, 2], 6)).toHaveLength(2)
    expect(connectedComponents((i) => set.has(i), [2, 2, 2], 26)).toHaveLength(1)
  })
})

const whole = (size: Size3, chosen: (x: number, y: number, z: number) => boolean): Region => {
  const [nx, ny] = size
  const [region] = connectedComponents(
    (i) => chosen(i % nx, Math.floor(i / nx) % ny, Math.floor(i / nx / ny)),
    size,
    26,
  )
  return region!
}

describe('measurements', () => {
  it('are the arithmetic of the source voxels', () => {
    const size: Size3 = [4, 3, 2]
    const region = whole(size, (x, y) => y === 1 && x >= 1)
    const values = Float32Array.from({ length: 24 }, (_, i) => i)
    const probability = new Float32Array(24).fill(0.75)
    const measured = measureRegion(region, grid(size, [2, 3, 5]), values, probability)
    // Voxels 5, 6, 7 and 17, 18, 19: mean 12; deviations −7 −6 −5 5 6 7, squares sum 220.
    expect(measured.voxels).toBe(6)
    expect(measured.volumeMl).toBeCloseTo(6 * 0.03, 12)
    expect(measured.max).toBe(19)
    expect(measured.mean).toBe(12)
    expect(measured.sd).toBeCloseTo(Math.sqrt(220 / 6), 12)
    expect(measured.meanProbability).toBeCloseTo(0.75, 12)
    expect(measured.bounds).toEqual({ low: [1, 1, 0], high: [3, 1, 1] })
    // Centre of mass (2, 1, 0.5): the first of the two nearest voxels.
    expect(measured.centreVoxel).toEqual([2, 1, 0])
    expect(measured.centreLps).toEqual([4, 3, 0])
    // 3 voxels of 2 mm in a row: 6 mm end to end; from the top of one end to the bottom of the other √(4² + 3²) = 5.
    expect(measured.longestAxialDiameterMm).toBeCloseTo(6, 12)
  })

  it('centre lies in the region although the centre of mass does not', () => {
    const size: Size3 = [7, 7, 1]
    const ring = whole(size, (x, y) => Math.max(Math.abs(x - 3), Math.abs(y - 3)) === 3)
    const { centreVoxel } = measureRegion(ring, grid(size), new Float32Array(49), new Float32Array(49))
    expect(Math.max(Math.abs(centreVoxel[0] - 3), Math.abs(centreVoxel[1] - 3))).toBe(3)
  })

  it('longest diameter: one voxel, an L, and the largest slice', () => {
    expect(
      longestAxialDiameter(
        whole([3, 3, 3], (x, y, z) => x + y + z === 0),
        grid([3, 3, 3], [4, 4, 9]),
      ),
    ).toBe(4)
    // Voxels (0,0) (0,1) (0,2) (1,2) (2,2): from (0, −½) to (2, 2½) √(4 + 9), more than any other pair.
    const ell = whole([3, 3, 1], (x, y) => x === 0 || y === 2)
    expect(longestAxialDiameter(ell, grid([3, 3, 1]))).toBeCloseTo(Math.sqrt(13), 12)
    const cone = whole([9, 9, 3], (x, _, z) => x <= 2 * z + 1)
    // Widest slice 6 × 9 voxels: from (0, −½) to (5, 8½): √(25 + 81); from (−½, 0) to (5½, 8): √(36 + 64).
    expect(longestAxialDiameter(cone, grid([9, 9, 3]))).toBeCloseTo(Math.sqrt(106), 12)
  })

  it('longest diameter of a ball of 20 mm is 20 mm within a voxel, in every orientation of the slices', () => {
    const size: Size3 = [31, 31, 31]
    const ball = whole(size, (x, y, z) => (x - 15) ** 2 + (y - 15) ** 2 + (z - 15) ** 2 <= 100)
    for (const columns of [
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
      [
        [0, 1, 0],
        [0, 0, -1],
        [1, 0, 0],
      ],
      [
        [0, 0, 1],
        [1, 0, 0],
        [0, 1, 0],
      ],
    ] as const) {
      const [a, b, c] = columns
      const diameter = longestAxialDiameter(ball, { size, toLps: affineFromColumns(a, b, c, [0, 0, 0]) })
      expect(Math.abs(diameter - 20)).toBeLessThanOrEqual(1)
    }
  })

  it('axial means across the patient: a rod along the body measures its width, whatever its axis in the file', () => {
    const size: Size3 = [2, 2, 30]
    const rod = whole(size, () => true)
    // Two voxels each way: from a side's middle to the opposite corner's, √(2² + 1²) = √5.
    expect(longestAxialDiameter(rod, grid(size))).toBeCloseTo(Math.sqrt(5), 12)
    const lying: Size3 = [30, 2, 2]
    const sagittal: Grid = { size: lying, toLps: affineFromColumns([0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 0]) }
    expect(
      longestAxialDiameter(
        whole(lying, () => true),
        sagittal,
      ),
    ).toBeCloseTo(Math.sqrt(5), 12)
  })
})

describe('the place in words', () => {
  const size: Size3 = [30, 30, 53]
  const bounds = { low: [3, 20, 30], high: [8, 25, 43] } as const

  it('names side, depth, height and slices', () => {
    expect(whereInWords(grid(size), [25, 22, 40], bounds)).toBe(
      'left, posterior, upper third of the scanned volume; slices 31–44 of 53 from the lower end',
    )
    expect(whereInWords(grid(size), [15, 15, 26], { low: [15, 15, 26], high: [15, 15, 26] })).toBe(
      'central, middle, middle third of the scanned volume; slice 27 of 53 from the lower end',
    )
  })

  it('follows the patient, not the file: a flipped grid turns the words', () => {
    const flipped: Grid = { size, toLps: affineFromColumns([-1, 0, 0], [0, -1, 0], [0, 0, -1], [0, 0, 0]) }
    expect(whereInWords(flipped, [25, 22, 40], bounds)).toBe(
      'right, anterior, lower third of the scanned volume; slices 10–23 of 53 from the lower end',
    )
  })
})
