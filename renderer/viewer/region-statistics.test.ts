import { describe, expect, it } from 'vitest'
import {
  angleDegrees,
  ellipseOfHandles,
  rectangleOfHandles,
  regionStatistics,
  type ValueGrid,
} from './region-statistics.ts'

/** 5 × 4 × 3 voxels of 2 × 3 × 4 mm; the value of (i, j, k) is i + 10·j + 100·k. */
function ramp(): ValueGrid {
  const values = new Float32Array(60)
  for (let k = 0; k < 3; k++)
    for (let j = 0; j < 4; j++) for (let i = 0; i < 5; i++) values[i + 5 * (j + 4 * k)] = i + 10 * j + 100 * k
  return {
    values,
    geometry: {
      dimensions: [5, 4, 3],
      spacingMm: [2, 3, 4],
      origin: [-4, 7, 100],
      axes: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    },
  }
}

describe('regionStatistics', () => {
  it('takes the voxels whose centres lie in a rectangle, on one slice', () => {
    // Columns 1–2 (x −2 and 0), rows 1–2 (y 10 and 13), slice 1 (z 104): 111, 112, 121, 122.
    const found = regionStatistics(ramp(), {
      shape: 'rectangle',
      centre: [-1, 11.5, 104],
      halfU: [1.5, 0, 0],
      halfV: [0, 2, 0],
    })
    expect(found.count).toBe(4)
    expect(found.mean).toBeCloseTo(116.5, 10)
    // Deviations ±5.5 and ±4.5: √((2·30.25 + 2·20.25)/4) = √25.25.
    expect(found.sd).toBeCloseTo(Math.sqrt(25.25), 10)
    expect([found.min, found.max]).toEqual([111, 122])
    expect(found.areaMm2).toBeCloseTo(3 * 4, 10)
  })

  it('leaves out the corners in an ellipse', () => {
    // Centre on voxel (2, 2, 0); half axes reach the neighbours but not the diagonals.
    const found = regionStatistics(ramp(), {
      shape: 'ellipse',
      centre: [0, 13, 100],
      halfU: [2.2, 0, 0],
      halfV: [0, 3.2, 0],
    })
    // 22, 21, 23, 12, 32.
    expect(found.count).toBe(5)
    expect(found.mean).toBeCloseTo(22, 10)
    expect(found.sd).toBeCloseTo(Math.sqrt((1 + 1 + 100 + 100) / 5), 10)
    expect(found.areaMm2).toBeCloseTo(Math.PI * 2.2 * 3.2, 10)
  })

  it('takes one slice when the plane runs exactly between two', () => {
    const found = regionStatistics(ramp(), {
      shape: 'rectangle',
      centre: [0, 13, 102],
      halfU: [0.5, 0, 0],
      halfV: [0, 0.5, 0],
    })
    expect(found.count).toBe(1)
  })

  it('measures in a sagittal plane', () => {
    // i = 0 (x −4); rows 0–1, slices 0–2.
    const found = regionStatistics(ramp(), {
      shape: 'rectangle',
      centre: [-4, 8.5, 104],
      halfU: [0, 2, 0],
      halfV: [0, 0, 4.5],
    })
    expect(found.count).toBe(6)
    expect(found.mean).toBeCloseTo((0 + 10 + 100 + 110 + 200 + 210) / 6, 10)
  })

  it('says so when nothing lies inside', () => {
    const found = regionStatistics(ramp(), {
      shape: 'ellipse',
      centre: [500, 500, 500],
      halfU: [1, 0, 0],
      halfV: [0, 1, 0],
    })
    expect(found.count).toBe(0)
    expect(found.mean).toBeNaN()
  })
})

describe('handles', () => {
  it('an ellipse is bottom, top, left, right', () => {
    const region = ellipseOfHandles([
      [0, 5, 0],
      [0, -5, 0],
      [-3, 0, 0],
      [3, 0, 0],
    ])
    expect(region).toMatchObject({ centre: [0, 0, 0], halfU: [3, 0, 0], halfV: [0, -5, 0] })
  })

  it('a rectangle is a corner, its two neighbours and its opposite', () => {
    const region = rectangleOfHandles([
      [0, 0, 0],
      [4, 0, 0],
      [0, 2, 0],
      [4, 2, 0],
    ])
    expect(region).toMatchObject({ centre: [2, 1, 0], halfU: [2, 0, 0], halfV: [0, 1, 0] })
  })

  it('an angle is between 0 and 180 degrees', () => {
    expect(angleDegrees([1, 0, 0], [0, 0, 0], [0, 2, 0])).toBeCloseTo(90, 10)
    expect(angleDegrees([1, 0, 0], [0, 0, 0], [-3, 0, 0])).toBeCloseTo(180, 6)
  })
})
