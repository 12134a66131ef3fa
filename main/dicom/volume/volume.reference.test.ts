import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { transformPoint } from '#common/dicom/geometry.ts'
import { suvBodyWeight } from '#common/dicom/suv.ts'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { assembleVolume } from './assemble.ts'
import { writeNifti } from './nifti.ts'
import { rasteriseContours, readStructures } from './rtstruct.ts'
import { loadInstance, loadSeries } from './testing/load-series.ts'
import type { Volume } from './types.ts'

const run = promisify(execFile)
const python = spawnSync('/usr/bin/python3', ['-c', 'import pydicom, numpy']).status === 0
const nibabel = spawnSync('/usr/bin/python3', ['-c', 'import nibabel']).status === 0

interface Figures {
  path: string
  shape: number[]
  mean: number
  box: number
  first: number[]
  corner: number[]
  structure?: [number, number, number][]
}

const sts = 'ibsi/ibsi_validation/dicom/STS_012'

describe.skipIf(sharedData === null || !python)('real series against pydicom and numpy', () => {
  let folder: string
  let expected: Record<string, Figures>

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alcove-volumes-'))
    const dicom = (path: string): string => sharedPath('dicom', path)
    const [enhanced] = await readdir(dicom('dcm_qa_xa30/In/5_anat-T1w_acq-tfl'))
    const series = {
      chest: dicom('cptac-lscc-chest-ct.zip'),
      ct: `${dicom(`${sts}/CT/image`)}+${dicom(`${sts}/CT/mask/RS.dcm`)}`,
      mr: dicom(`${sts}/MR_T1/image`),
      pet: `${dicom(`${sts}/PET/image`)}+${dicom(`${sts}/PET/mask/RS.dcm`)}`,
      wholeBody: dicom('fnndsc-data/rsna_2/PET'),
      oblique: dicom('papaya/dicom'),
      sagittal: dicom('dcm_qa_decubitus/In/HFS/3_t1_fl2d_sag'),
      tilted: dicom('dcm_qa_ct/In/GE'),
      enhanced: dicom(`dcm_qa_xa30/In/5_anat-T1w_acq-tfl/${enhanced}`),
    }
    const script = join(import.meta.dirname, 'testing/reference_volumes.py')
    const named = Object.entries(series).map(([name, path]) => `${name}=${path}`)
    const { stdout } = await run('/usr/bin/python3', [script, folder, ...named], { maxBuffer: 64 * 1024 * 1024 })
    expected = JSON.parse(stdout) as Record<string, Figures>
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each([
    ['chest', 'HU', 1],
    ['ct', 'HU', 1],
    ['mr', 'stored', 1],
    // Units GML: the stored values are SUV already.
    ['pet', 'SUVbw', 1],
    // 66.2 kg, 381.47 MBq at 11:39:00, series at 13:02:44.678, half-life 6586.2 s:
    // 66200 / (381.47e6 × 2^(−5024.678 / 6586.2)) = 2.944804e-4
    ['wholeBody', 'SUVbw', 2.944804e-4],
    ['oblique', 'SIGNAL INTENSITY (UNITLESS)', 1],
    ['sagittal', 'stored', 1],
    ['enhanced', 'stored', 1],
  ] as const)('%s', async (name, unit, factor) => {
    const figures = expected[name]!
    const instances = name === 'enhanced' ? [await loadInstance(figures.path)] : await loadSeries(figures.path)
    const volume = await assembleVolume(instances)
    expect(volume.shape).toEqual(figures.shape)
    expect(volume.unit).toBe(unit)
    expect(mean(volume, [0, 0, 0], volume.shape)).toBeCloseTo(figures.mean * factor, 3)
    const [nx, ny, nz] = volume.shape.map((n) => [Math.floor(n / 3), Math.floor(n / 2)] as const) as [Span, Span, Span]
    const box = mean(volume, [nx[0], ny[0], nz[0]], [nx[1], ny[1], nz[1] + 1])
    expect(Math.abs(box / (figures.box * factor) - 1)).toBeLessThan(1e-5)
    const last = volume.shape[2] - 1
    // Millimetres: the oblique series wobbles by a few hundredths between its slices.
    transformPoint(volume.affine, [0, 0, 0]).forEach((mm, axis) => expect(mm).toBeCloseTo(figures.first[axis]!, 3))
    transformPoint(volume.affine, [5, 3, last]).forEach((mm, axis) => expect(mm).toBeCloseTo(figures.corner[axis]!, 3))
  })

  it('refuses the tilted, uneven CT with a reason and shows it on request', async () => {
    const figures = expected['tilted']!
    const instances = await loadSeries(figures.path)
    await expect(assembleVolume(instances)).rejects.toThrow(
      expect.objectContaining({ code: 'geometry/unsuitable', message: expect.stringContaining('1.08 to 7.00 mm') }),
    )
    const volume = await assembleVolume(instances, { allowIrregular: true })
    expect(volume.shape).toEqual(figures.shape)
    expect(mean(volume, [0, 0, 0], volume.shape)).toBeCloseTo(figures.mean, 3)
    expect(volume.notes.map(({ code }) => code)).toEqual(['uneven-spacing', 'tilted'])
    expect(volume.notes[1]!.message).toContain('18.5°')
  })

  it('has the SUV factor of the whole-body PET by hand', async () => {
    const instances = await loadSeries(expected['wholeBody']!.path)
    const result = suvBodyWeight(instances.map(({ dataset }) => dataset))
    expect(result).toMatchObject({ ok: true, method: 'BQML' })
    expect(result.ok && result.decaySeconds).toBeCloseTo(5024.678, 3)
  })

  it.each(['ct', 'pet'])('rasterises the RTSTRUCT of the %s to the voxels of a test of every centre', async (name) => {
    const { path, structure } = expected[name]!
    const volume = await assembleVolume(await loadSeries(path))
    const mask = join(path, '../mask/RS.dcm')
    const [roi] = readStructures((await loadInstance(mask)).dataset)
    expect(roi?.contours).toHaveLength(22)
    const drawn = voxels(rasteriseContours(roi!.contours, volume), volume)
    const wanted = new Set(structure!.map((index) => index.join()))
    const common = drawn.filter((index) => wanted.has(index)).length
    const dice = (2 * common) / (drawn.length + wanted.size)
    expect(wanted.size).toBeGreaterThan(100)
    // Centres on the very line of a contour fall to either side by the last bit of a float.
    expect(dice).toBeGreaterThan(0.999)
  })

  it.skipIf(!nibabel)('writes NIfTI that nibabel reads in the right place', async () => {
    for (const name of ['oblique', 'sagittal', 'ct']) {
      const volume = await assembleVolume(await loadSeries(expected[name]!.path))
      const file = join(folder, `${name}.nii.gz`)
      await writeFile(file, await writeNifti(volume))
      const { stdout } = await run('/usr/bin/python3', [
        '-c',
        'import nibabel, json, sys, numpy; n = nibabel.load(sys.argv[1]); d = n.get_fdata(); ' +
          'print(json.dumps([n.shape, n.affine.tolist(), n.get_qform(coded=True)[0].tolist() if n.header["qform_code"] else None, d[5, 3, -1], d.mean(), ' +
          'list(map(float, n.header.get_zooms())), n.header.get_xyzt_units()[0]]))',
        file,
      ])
      const [shape, sform, qform, voxel, average, zooms, unit] = JSON.parse(stdout) as [
        number[],
        number[][],
        number[][] | null,
        number,
        number,
        number[],
        string,
      ]
      expect(shape).toEqual(volume.shape)
      expect(unit).toBe('mm')
      zooms.forEach((mm, axis) => expect(mm).toBeCloseTo(volume.spacingMm[axis]!, 4))
      const last = volume.shape[2] - 1
      const lps = expected[name]!.corner
      const ras = [-lps[0]!, -lps[1]!, lps[2]!]
      // The oblique series is sheared by some hundredths of a degree: only the sform can say that.
      expect(qform === null).toBe(name === 'oblique')
      for (const form of qform === null ? [sform] : [sform, qform])
        ras.forEach((mm, axis) => {
          const [a, b, c, d] = form[axis]! as [number, number, number, number]
          expect(a * 5 + b * 3 + c * last + d).toBeCloseTo(mm, 2)
        })
      const [nx, ny] = volume.shape
      expect(voxel).toBe(volume.data[5 + nx * (3 + ny * last)])
      expect(average).toBeCloseTo(expected[name]!.mean, 3)
    }
  })
})

type Span = readonly [number, number]

function mean({ shape, data }: Volume, from: readonly number[], to: readonly number[]): number {
  let sum = 0
  let count = 0
  for (let k = from[2]!; k < to[2]!; k++)
    for (let j = from[1]!; j < to[1]!; j++)
      for (let i = from[0]!; i < to[0]!; i++, count++) sum += data[i + shape[0] * (j + shape[1] * k)]!
  return sum / count
}

function voxels(mask: Uint8Array, { shape: [nx, ny] }: Volume): string[] {
  const found: string[] = []
  mask.forEach((inside, at) => {
    if (inside === 1) found.push([at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))].join())
  })
  return found
}
