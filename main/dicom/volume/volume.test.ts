import { describe, expect, it } from 'vitest'
import { gunzipSync } from 'node:zlib'
import { transformPoint } from '#common/dicom/geometry.ts'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { assembleVolume } from './assemble.ts'
import { writeNifti } from './nifti.ts'
import { rasteriseContours } from './rtstruct.ts'
import { findStacks } from './stacks.ts'
import type { VolumeGrid, VolumeInstance } from './types.ts'

interface Place {
  at: [number, number, number]
  value?: number
  orientation?: number[]
  columns?: number
  extra?: DicomJsonDataset
}

let counter = 0

/** A 2-row slice whose pixels all hold `value`. */
function slice({ at, value = 0, orientation = [1, 0, 0, 0, 1, 0], columns = 3, extra = {} }: Place): VolumeInstance {
  const ds = (...Value: (string | number)[]): { vr: string; Value: (string | number)[] } => ({ vr: 'DS', Value })
  return {
    dataset: {
      '00080018': ds(`1.2.${(counter += 1)}`),
      '00080060': ds('CT'),
      '00280010': ds(2),
      '00280011': ds(columns),
      '00280030': ds(1, 1),
      '00200032': ds(...at),
      '00200037': ds(...orientation),
      '00281052': ds(-1024),
      '00281053': ds(2),
      ...extra,
    },
    frames: 1,
    transferSyntaxUID: '1.2.840.10008.1.2.1',
    decode: () =>
      Promise.resolve({
        rows: 2,
        columns,
        samplesPerPixel: 1,
        photometricInterpretation: 'MONOCHROME2',
        pixels: new Int16Array(2 * columns).fill(value),
      }),
  }
}

const along = (zs: number[], change: (z: number, index: number) => Partial<Place> = () => ({})): VolumeInstance[] =>
  zs.map((z, index) => slice({ at: [0, 0, z], value: z, ...change(z, index) }))

const codes = (instances: VolumeInstance[]): string[][] =>
  findStacks(
    instances.map(({ dataset }) => dataset),
    instances.map(({ frames }) => frames),
  ).map((stack) => [String(stack.slices.length), ...stack.problems.map(({ code }) => code)])

const refusal = (instances: VolumeInstance[]): Promise<unknown> =>
  assembleVolume(instances).then(
    () => null,
    (error: unknown) => error,
  )

describe('stacks', () => {
  it('are sorted by place whatever the order, and rescaled', async () => {
    const volume = await assembleVolume(along([6, 0, 4, 2]))
    expect(volume).toMatchObject({ shape: [3, 2, 4], spacingMm: [1, 1, 2], unit: 'HU', notes: [] })
    // Stored 0, 2, 4, 6 with slope 2 and intercept −1024.
    expect([0, 1, 2, 3].map((k) => volume.data[k * 6])).toEqual([-1024, -1020, -1016, -1012])
    expect(transformPoint(volume.affine, [2, 1, 3])).toEqual([2, 1, 6])
  })

  it('grow along the normal, also when that points to the feet', async () => {
    // Rows to the right: the normal is −z.
    const volume = await assembleVolume(along([0, 2, 4], () => ({ orientation: [-1, 0, 0, 0, 1, 0] })))
    expect(volume.data[0]).toBe(4 * 2 - 1024)
    expect(transformPoint(volume.affine, [0, 0, 2])).toEqual([0, 0, 0])
  })

  it('name missing slices, uneven spacing, shifts and single slices, and refuse them', async () => {
    expect(codes(along([0, 2, 4, 10, 12]))).toEqual([['5', 'missing-slices']])
    expect(await refusal(along([0, 2, 4, 10, 12]))).toMatchObject({
      code: 'geometry/unsuitable',
      message: expect.stringContaining('2 slices are missing') as string,
    })
    expect(codes(along([0, 2, 4.7, 6]))).toEqual([['4', 'uneven-spacing']])
    expect(codes(along([0, 2, 4], (z) => ({ at: [z === 2 ? 1 : 0, 0, z] })))).toEqual([['3', 'shifted-slices']])
    expect(codes(along([0]))).toEqual([['1', 'single-slice']])
    expect(await refusal([])).toMatchObject({ code: 'geometry/unsuitable' })
  })

  it('bear the rounding of real headers', () => {
    expect(codes(along([0, 3.27, 6.53, 9.81, 13.08]))).toEqual([['5']])
  })

  it('keep the shear of a tilted gantry in the affine', async () => {
    // 45°: each slice 2 mm up and 2 mm to the back.
    const volume = await assembleVolume(along([0, 2, 4], (z) => ({ at: [0, z, z] })))
    expect(volume.notes.map(({ code, message }) => [code, message.includes('45.0°')])).toEqual([['tilted', true]])
    expect(transformPoint(volume.affine, [0, 0, 2])).toEqual([0, 4, 4])
    expect(volume.spacingMm[2]).toBeCloseTo(Math.SQRT2 * 2, 12)
  })

  it('are split by size, orientation and frame of reference; localizers come last', async () => {
    const coronal = along([0, 2], () => ({ orientation: [1, 0, 0, 0, 0, -1] })).map((one, k) => ({
      ...one,
      dataset: { ...one.dataset, '00200032': { vr: 'DS', Value: [0, k * 2, 0] } },
    }))
    const localizer = { '00080008': { vr: 'CS', Value: ['ORIGINAL', 'PRIMARY', 'LOCALIZER'] } }
    const other = { '00200052': { vr: 'UI', Value: ['1.2.3'] } }
    const mixed = [
      ...along([0, 1, 2, 3, 4], () => ({ extra: localizer })),
      ...along([0, 2, 4, 6]),
      ...along([1, 3, 5], () => ({ columns: 4 })),
      ...coronal,
      ...along([8, 10], () => ({ extra: other })),
    ]
    expect(codes(mixed).map(([count]) => count)).toEqual(['4', '3', '2', '2', '5'])
    expect((await assembleVolume(mixed)).shape).toEqual([3, 2, 4])
  })

  it('tell time points from duplicates', async () => {
    const time = (index: number): DicomJsonDataset => ({ '00200012': { vr: 'IS', Value: [index] } })
    const twice = [
      ...along([0, 2, 4], (z) => ({ extra: time(2), value: z + 100 })),
      ...along([0, 2, 4], () => ({ extra: time(1) })),
    ]
    expect(codes(twice)).toEqual([['3'], ['3']])
    expect((await assembleVolume(twice)).data[0]).toBe(-1024)
    expect(codes([...along([0, 2, 4]), ...along([2])])).toEqual([['3', 'duplicates']])
    const again = along([0, 2, 4])
    expect(codes([...again, again[1]!])).toEqual([['3', 'duplicates']])
  })

  it('leave out colour and images without a place, and stop when cancelled', async () => {
    const colour = slice({ at: [0, 0, 9], extra: { '00280002': { vr: 'US', Value: [3] } } })
    const screenshot = slice({ at: [0, 0, 9], extra: { '00200032': { vr: 'DS' } } })
    const mosaic = slice({ at: [0, 0, 9], extra: { '00080008': { vr: 'CS', Value: ['ORIGINAL', 'MOSAIC'] } } })
    expect((await assembleVolume([colour, screenshot, mosaic, ...along([0, 2])])).shape).toEqual([3, 2, 2])
    await expect(assembleVolume(along([0, 2]), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'task/cancelled',
    })
  })

  it('say why a PET has no SUV, and give its activity on request', async () => {
    const pet = along([0, 2], () => ({ extra: { '00080060': { vr: 'CS', Value: ['PT'] }, '00281052': { vr: 'DS' } } }))
    await expect(assembleVolume(pet)).rejects.toMatchObject({ code: 'suv/not-computable' })
    expect((await assembleVolume(pet, { petUnit: 'stored' })).data[6]).toBe(4)
  })
})

const grid: VolumeGrid = {
  shape: [6, 5, 2],
  spacingMm: [2, 1, 4],
  affine: [2, 0, 0, 10, 0, 1, 0, 20, 0, 0, 4, 30, 0, 0, 0, 1],
}

/** A rectangle in index units at slice k. */
function rectangle(x1: number, y1: number, x2: number, y2: number, k: number): { type: string; pointsMm: number[] } {
  const corners = [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
  ] as const
  return { type: 'CLOSED_PLANAR', pointsMm: corners.flatMap(([x, y]) => transformPoint(grid.affine, [x, y, k])) }
}

describe('contours', () => {
  it('fill the voxels whose centres they hold; an inner one cuts a hole', () => {
    const mask = rasteriseContours([rectangle(0.5, 0.5, 4.5, 3.5, 1), rectangle(1.5, 1.5, 2.5, 2.5, 1)], grid)
    const rows = [...mask].map(String).join('').match(/.{6}/g)
    expect(rows).toEqual([...Array<string>(5).fill('000000'), '000000', '011110', '010110', '011110', '000000'])
  })

  it('outside the grid leave no trace, across slices are refused', () => {
    expect(rasteriseContours([rectangle(-9, -9, -2, -2, 0), rectangle(0, 0, 9, 9, 7)], grid).includes(1)).toBe(false)
    const slanted = rectangle(0, 0, 4, 4, 0)
    slanted.pointsMm[2] = 38
    expect(() => rasteriseContours([slanted], grid)).toThrow('plane of the slices')
  })
})

describe('NIfTI', () => {
  it('writes a mask as bytes behind a header of 352', async () => {
    const mask = rasteriseContours([rectangle(0.5, 0.5, 4.5, 3.5, 1)], grid)
    const file = gunzipSync(await writeNifti(grid, mask))
    expect(file.length).toBe(352 + 60)
    expect(file.toString('latin1', 344, 347)).toBe('n+1')
    expect([0, 1, 2, 3].map((n) => file.readInt16LE(40 + n * 2))).toEqual([3, 6, 5, 2])
    // RAS: x and y of the first row and column turn round.
    expect([280, 292, 300, 308, 320, 324].map((at) => file.readFloatLE(at))).toEqual([-2, -10, -1, -20, 4, 30])
    expect(file.subarray(352).reduce((sum, value) => sum + value, 0)).toBe(12)
  })
})
