import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  anatomicalPlane,
  imagePlane,
  invertAffine,
  orientationLetters,
  stackAffine,
  transformPoint,
  type Vector3,
} from './geometry.ts'
import type { DicomJsonDataset } from './json.ts'

const ds = (...Value: number[]): { vr: string; Value: number[] } => ({ vr: 'DS', Value })

/** A sagittal slice: rows run to the back, columns to the feet. */
const sagittal: DicomJsonDataset = {
  '00280010': ds(20),
  '00280011': ds(10),
  '00200032': ds(-5, -100, 50),
  '00200037': ds(0, 1, 0, 0, 0, -1),
  '00280030': ds(2, 0.5),
}

describe('image plane', () => {
  it('puts pixel spacing where the standard does: rows first, then columns', () => {
    const plane = imagePlane(sagittal)!
    expect(plane).toMatchObject({ rows: 20, columns: 10, rowSpacingMm: 2, columnSpacingMm: 0.5 })
    expect(plane.normal.map((n) => n + 0)).toEqual([-1, 0, 0])
    const affine = stackAffine(plane, [-3, 0, 0])
    // Column 4, row 3, slice 2 by hand: 4 × 0.5 mm back, 3 × 2 mm down, 2 × 3 mm to the right.
    expect(transformPoint(affine, [4, 3, 2])).toEqual([-11, -98, 44])
  })

  it('is null where the header does not place the image, or impossibly', () => {
    expect(imagePlane({ ...sagittal, '00200032': ds() })).toBeNull()
    expect(imagePlane({ ...sagittal, '00200037': ds(1, 0, 0, 1, 0, 0) })).toBeNull()
    expect(imagePlane({ ...sagittal, '00200037': ds(0, 0, 0, 0, 0, 0) })).toBeNull()
    expect(imagePlane({ ...sagittal, '00280030': ds(0, 1) })).toBeNull()
  })

  it('reads each frame of an enhanced object, own groups before shared ones', () => {
    const position = (z: number): DicomJsonDataset => ({
      '00209113': { vr: 'SQ', Value: [{ '00200032': ds(0, 0, z) }] },
    })
    const enhanced: DicomJsonDataset = {
      '00280010': ds(4),
      '00280011': ds(4),
      '52009229': {
        vr: 'SQ',
        Value: [
          {
            '00209116': { vr: 'SQ', Value: [{ '00200037': ds(1, 0, 0, 0, 1, 0) }] },
            '00289110': { vr: 'SQ', Value: [{ '00280030': ds(1, 1) }] },
          },
        ],
      },
      '52009230': { vr: 'SQ', Value: [position(7), position(9)] },
    }
    expect(imagePlane(enhanced, 0)!.originMm).toEqual([0, 0, 7])
    expect(imagePlane(enhanced, 1)!.originMm).toEqual([0, 0, 9])
  })

  it('places the frames of a dose grid', () => {
    const dose = { ...sagittal, '00200037': ds(1, 0, 0, 0, 1, 0), '3004000C': ds(0, 3, 6) }
    expect(imagePlane(dose, 2)!.originMm).toEqual([-5, -100, 56])
    expect(imagePlane({ ...dose, '3004000C': ds(50, 53) }, 1)!.originMm).toEqual([-5, -100, 53])
  })
})

describe('directions', () => {
  it.each([
    [[1, 0, 0], 'L'],
    [[-1, 0, 0], 'R'],
    [[0, 1, 0], 'P'],
    [[0, -1, 0], 'A'],
    [[0, 0, 1], 'H'],
    [[0, 0, -1], 'F'],
    [[0.6, -0.8, 0.05], 'AL'],
    [[0.09, 0.7, -0.7], 'PF'],
  ] as [Vector3, string][])('%j is %s', (direction, letters) => {
    expect(orientationLetters(direction)).toBe(letters)
  })

  it('says S and I when asked, and names the plane', () => {
    expect(orientationLetters([0, 0, 1], 'SI')).toBe('S')
    expect(orientationLetters([0, 0, -1], 'SI')).toBe('I')
    expect([anatomicalPlane([0, 0, -1]), anatomicalPlane([1, 0.2, 0]), anatomicalPlane([0, -1, 0.3])]).toEqual([
      'axial',
      'sagittal',
      'coronal',
    ])
  })
})

describe('affines', () => {
  it('are undone by their inverse', () => {
    const number = fc.double({ min: -50, max: 50, noNaN: true })
    fc.assert(
      fc.property(fc.tuple(number, number, number), fc.tuple(number, number, number), (point, step) => {
        const affine = stackAffine(imagePlane(sagittal)!, [step[0], step[1], step[2]])
        const inverse = invertAffine(affine)
        if (inverse === null) return Math.abs(step[0]) < 1e-10
        if (Math.abs(step[0]) < 0.01) return true
        const back = transformPoint(inverse, transformPoint(affine, point))
        return back.every((value, axis) => Math.abs(value - point[axis]!) < 1e-5)
      }),
    )
    expect(invertAffine(stackAffine(imagePlane(sagittal)!, [0, 0, 0]))).toBeNull()
  })
})
