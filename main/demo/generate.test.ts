import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { number, numbers, text } from '#common/dicom/json.ts'
import { readInstanceBytes } from '../dicom/read/index.ts'
import { dciodvfyErrors, hasDciodvfy, hasPydicom, python } from '../dicom/read/testing/python.ts'
import { demoTruth, generateCt, generateDemoStudy, type DemoStudy } from './generate.ts'

describe('the demonstration study', () => {
  let folder = ''
  let study: DemoStudy
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alcove-demo-'))
    study = await generateDemoStudy(folder, { seed: 1 })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('has one CT and one PET series in one frame of reference', async () => {
    expect(study.files.length).toBe(200)
    const seen = new Map<string, Set<string>>()
    for (const file of study.files) {
      const { dataset } = readInstanceBytes(await readFile(file)).head
      const key = `${text(dataset, '00080060')} ${text(dataset, '0020000E')}`
      seen.set(
        key,
        (seen.get(key) ?? new Set()).add(
          `${text(dataset, '0020000D')} ${text(dataset, '00200052')} ${text(dataset, '00100010')}`,
        ),
      )
    }
    expect([...seen.keys()].toSorted()).toEqual([`CT ${study.ctSeriesInstanceUID}`, `PT ${study.petSeriesInstanceUID}`])
    expect(new Set([...seen.values()].flatMap((set) => [...set])).size).toBe(1)
    expect([...(seen.values().next().value ?? [])][0]).toContain('ALCOVE^DEMO')
  })

  it('knows its lesion: an ellipsoid of 19 × 16 × 18 mm', () => {
    const { truth } = study
    // 4/3 · π · 1.9 · 1.6 · 1.8 cm.
    expect(truth.volumeMl).toBeCloseTo(22.92, 2)
    const voxelMl = (4.07283 * 4.07283 * 3.27) / 1000
    const voxels = truth.maskOnPetGrid.reduce((sum, value) => sum + value, 0)
    expect(Math.abs(voxels * voxelMl - truth.volumeMl) / truth.volumeMl).toBeLessThan(0.03)
    expect(truth.maskOnPetGrid.length).toBe(truth.pet.slices * truth.pet.rows * truth.pet.columns)
    expect(demoTruth()).toEqual(truth)
  })

  it('gives the lesion its SUV by the arithmetic of the header', async () => {
    const { truth } = study
    // The slice through the centre, z = 312: index (312 − 60) / 3.27 = 77.06.
    const wanted = Math.round((truth.centreLps[2] - 60) / 3.27)
    for (const file of study.files.filter((name) => name.includes('/PT/'))) {
      const { head, parts } = readInstanceBytes(await readFile(file))
      const { dataset } = head
      if (number(dataset, '00200013') !== 100 - wanted) continue
      const nuclide = (dataset['00540016']?.Value?.[0] ?? {}) as typeof dataset
      const dose = number(nuclide, '00181074') ?? 0
      const halfLife = number(nuclide, '00181075') ?? 1
      // 09:15:00 to 10:15:00.
      expect([text(nuclide, '00181072'), text(dataset, '00080032')]).toEqual(['091500', '101500'])
      const scale =
        ((number(dataset, '00281053') ?? 0) * (number(dataset, '00101030') ?? 0) * 1000) /
        (dose * Math.exp((-Math.LN2 * 3600) / halfLife))
      const pixels = Buffer.concat(parts.filter((part) => part.kind === 'frame').map((part) => part.bytes))
      const suv = (column: number, row: number): number => pixels.readInt16LE((row * 128 + column) * 2) * scale
      const [x0 = 0, y0 = 0] = numbers(dataset, '00200032') ?? []
      const column = Math.round((truth.centreLps[0] - x0) / 4.07283)
      const row = Math.round((truth.centreLps[1] - y0) / 4.07283)
      let sum = 0
      for (let dy = -1; dy <= 1; dy += 1) for (let dx = -1; dx <= 1; dx += 1) sum += suv(column + dx, row + dy)
      expect(sum / 9).toBeGreaterThan(7.4)
      expect(sum / 9).toBeLessThan(8.6)
      // Left lung at the same height: 0.45.
      expect(Math.abs(suv(Math.round((74 - x0) / 4.07283), row) - 0.45)).toBeLessThan(0.35)
      return
    }
    throw new Error('the slice through the lesion is missing')
  })

  it.skipIf(!hasDciodvfy)('has no error for dciodvfy', async () => {
    const samples = [study.files[0], study.files[60], study.files[100], study.files[177]]
    for (const file of samples) expect(await dciodvfyErrors(file ?? '')).toEqual([])
  })

  it.skipIf(!hasPydicom)('has its geometry and CT numbers for pydicom', async () => {
    const seen = await python<
      Record<
        'CT' | 'PT',
        { z: number[]; spacing: number[]; position: number[]; shape: number[]; lesion: number; liver: number }
      >
    >(
      `import pydicom, glob, json, sys
out = {}
for kind in ('CT', 'PT'):
    s = sorted((pydicom.dcmread(f) for f in glob.glob(sys.argv[1] + '/' + kind + '/*.dcm')), key=lambda d: float(d.ImagePositionPatient[2]))
    def at(x, y, z):
        d = min(s, key=lambda d: abs(float(d.ImagePositionPatient[2]) - z))
        c = round((x - float(d.ImagePositionPatient[0])) / float(d.PixelSpacing[1])); r = round((y - float(d.ImagePositionPatient[1])) / float(d.PixelSpacing[0]))
        return float((d.pixel_array[r-1:r+2, c-1:c+2] * float(d.RescaleSlope) + float(d.RescaleIntercept)).mean())
    out[kind] = {'z': [float(d.ImagePositionPatient[2]) for d in s], 'spacing': [float(v) for v in s[0].PixelSpacing], 'position': [float(v) for v in s[0].ImagePositionPatient],
      'shape': [len(s), s[0].Rows, s[0].Columns], 'lesion': at(-70, 4, 312), 'liver': at(-60, 0, 190)}
print(json.dumps(out))`,
      [folder],
    )
    expect(seen.CT.shape).toEqual([100, 256, 256])
    expect(seen.PT.shape).toEqual([100, 128, 128])
    expect(seen.CT.z).toEqual(seen.PT.z)
    expect(seen.CT.z[1]).toBeCloseTo(63.27, 4)
    expect(seen.CT.spacing).toEqual([1.953125, 1.953125])
    // 255/2 pixels of 1.953125 mm to the left of the axis.
    expect(seen.CT.position[0]).toBeCloseTo(-249.0234, 3)
    expect(seen.PT.position[0]).toBeCloseTo(-63.5 * 4.07283, 3)
    expect(Math.abs(seen.CT.lesion - 38)).toBeLessThan(20)
    expect(Math.abs(seen.CT.liver - 60)).toBeLessThan(20)
  })
})

describe('the generator', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alcove-ct-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('writes the same bytes for the same seed, and other noise for another', async () => {
    const digest = async (name: string, seed: number): Promise<string> => {
      const { files } = await generateCt({ directory: join(folder, name), slices: 3, rows: 64, columns: 64, seed })
      expect(files.length).toBe(3)
      return createHash('sha256')
        .update(await readFile(files[1] ?? ''))
        .digest('hex')
    }
    const [first, again, other] = [await digest('a', 5), await digest('b', 5), await digest('c', 6)]
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  it('also makes thighs with a mass in the muscles, another study', async () => {
    const { files, truth, studyInstanceUID } = await generateDemoStudy(join(folder, 'thighs'), { scene: 'thighs' })
    // 4/3 · π · 2.7 · 2.4 · 3.8 cm.
    expect(truth.volumeMl).toBeCloseTo(103.14, 2)
    const voxels = truth.maskOnPetGrid.reduce((sum, value) => sum + value, 0)
    expect(Math.abs((voxels * 4.07283 * 4.07283 * 3.27) / 1000 / truth.volumeMl - 1)).toBeLessThan(0.03)
    const { dataset } = readInstanceBytes(await readFile(files[150] ?? '')).head
    expect(text(dataset, '0020000D')).toBe(studyInstanceUID)
    expect(text(dataset, '00081030')).toBe('PET/CT thighs (phantom)')
    if (hasDciodvfy) for (const file of [files[50], files[150]]) expect(await dciodvfyErrors(file ?? '')).toEqual([])
  })

  it('stops when asked to', async () => {
    const signal = AbortSignal.abort()
    await expect(generateDemoStudy(join(folder, 'd'), { signal })).rejects.toThrow(/abort/i)
  })
})
