import { describe, expect, it } from 'vitest'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { framesOfSeries } from './frames-of-series.ts'
import { contains, indexToWorld, volumeGeometry, worldToIndex } from './volume-geometry.ts'
import { edgeLetters } from './orientation.ts'

function slice(position: number[], change: DicomJsonDataset = {}): DicomJsonDataset {
  return {
    '00080018': { vr: 'UI', Value: [`1.2.${Math.round((position[2] ?? 0) * 100) + 100_000}`] },
    '00080060': { vr: 'CS', Value: ['CT'] },
    '00200013': { vr: 'IS', Value: [1] },
    '00200032': { vr: 'DS', Value: position },
    '00200037': { vr: 'DS', Value: [1, 0, 0, 0, 1, 0] },
    '00280010': { vr: 'US', Value: [20] },
    '00280011': { vr: 'US', Value: [10] },
    '00280030': { vr: 'DS', Value: [0.5, 0.75] },
    ...change,
  }
}

describe('framesOfSeries', () => {
  it('orders slices from the feet up and reads them from the head down', () => {
    const series = framesOfSeries([slice([0, 0, 6]), slice([0, 0, 0]), slice([0, 0, 3])], null)
    expect(series.frames.map((frame) => frame.positionLps![2])).toEqual([0, 3, 6])
    expect(series.readBackwards).toBe(true)
  })

  it('takes slope and intercept from the calibration', () => {
    const first = slice([0, 0, 0], { '00281053': { vr: 'DS', Value: [9] } })
    const uid = '1.2.100000'
    const series = framesOfSeries([first], {
      unit: 'SUVbw',
      suvFactor: 2,
      reason: 'test',
      instances: [{ sopInstanceUID: uid, slope: 0.25, intercept: 1 }],
    })
    expect(series.frames[0]).toMatchObject({ slope: 0.25, intercept: 1 })
    expect(series.unit).toBe('SUVbw')
  })

  it('reads the functional groups of an enhanced object', () => {
    const plane = (z: number): DicomJsonDataset => ({
      '00209113': { vr: 'SQ', Value: [{ '00200032': { vr: 'DS', Value: [1, 2, z] } }] },
    })
    const { '00200032': _position, '00280030': _spacing, ...bare } = slice([0, 0, 0])
    const series = framesOfSeries(
      [
        {
          ...bare,
          '00280008': { vr: 'IS', Value: [3] },
          '52009229': {
            vr: 'SQ',
            Value: [{ '00289110': { vr: 'SQ', Value: [{ '00280030': { vr: 'DS', Value: [2, 2] } }] } }],
          },
          '52009230': { vr: 'SQ', Value: [plane(10), plane(0), plane(5)] },
        },
      ],
      null,
    )
    expect(series.frames.map((frame) => [frame.frameNumber, frame.positionLps![2]])).toEqual([
      [2, 0],
      [3, 5],
      [1, 10],
    ])
    expect(series.frames[0]!.spacingMm).toEqual([2, 2])
  })
})

describe('volumeGeometry', () => {
  it('finds the grid: columns, rows, slices', () => {
    const verdict = volumeGeometry(framesOfSeries([slice([1, 2, 0]), slice([1, 2, 3]), slice([1, 2, 6])], null).frames)
    if (!verdict.ok) throw new Error(verdict.reason)
    expect(verdict.geometry).toMatchObject({ dimensions: [10, 20, 3], spacingMm: [0.75, 0.5, 3], origin: [1, 2, 0] })
    expect(indexToWorld(verdict.geometry, [2, 4, 1])).toEqual([2.5, 4, 3])
    expect(worldToIndex(verdict.geometry, [2.5, 4, 3])).toEqual([2, 4, 1])
    expect(contains(verdict.geometry, [1, 2, 7.4])).toBe(true)
    expect(contains(verdict.geometry, [1, 2, 7.6])).toBe(false)
  })

  it.each([
    ['unevenly spaced', [slice([0, 0, 0]), slice([0, 0, 3]), slice([0, 0, 9])], /unevenly/],
    ['the same position', [slice([0, 0, 0]), slice([0, 0, 0]), slice([0, 0, 0])], /same position/],
    ['tilted gantry', [slice([0, 0, 0]), slice([0, 1, 3]), slice([0, 2, 6])], /tilt/],
    ['too few', [slice([0, 0, 0])], /three/],
  ])('refuses: %s', (_, datasets, reason) => {
    const verdict = volumeGeometry(framesOfSeries(datasets, null).frames)
    expect(verdict).toMatchObject({ ok: false, reason: expect.stringMatching(reason) as string })
  })
})

describe('edgeLetters', () => {
  it('axial images show the patient from the feet', () => {
    expect(edgeLetters([1, 0, 0], [0, 1, 0])).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' })
  })

  it('sagittal and coronal have the head on top; oblique directions have two letters', () => {
    expect(edgeLetters([0, 1, 0], [0, 0, -1])).toEqual({ left: 'A', right: 'P', top: 'H', bottom: 'F' })
    expect(edgeLetters([0.8, 0.6, 0], [0, 0, -1]).right).toBe('LP')
  })
})
