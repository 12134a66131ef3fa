import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { items, number, numbers, type DicomJsonDataset } from '#common/dicom/json.ts'
import { sopInstanceUID, studyInstanceUID } from '#common/ids.ts'
import type { InferenceRun } from '#common/contract/inference.ts'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { assembleVolume } from '../dicom/volume/assemble.ts'
import { rasteriseContours, readStructures } from '../dicom/volume/rtstruct.ts'
import { loadInstance, loadSeries } from '../dicom/volume/testing/load-series.ts'
import type { Volume } from '../dicom/volume/types.ts'
import { openModelRegistry } from '../models/registry.ts'
import { openStudies } from '../studies/open-studies.ts'
import { openVault } from '../vault/open-vault.ts'
import { createInferenceService } from './service.ts'
import type { InferenceService } from './types.ts'

const bundledDir = resolve(import.meta.dirname, '../../resources/models')
const bundled = (id: string): boolean => existsSync(join(bundledDir, id, 'manifest.json'))

let folder: string
let store: Awaited<ReturnType<typeof openStudies>>
let service: InferenceService

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alcove-reference-'))
  const dataDir = join(folder, 'data')
  const vault = await openVault(dataDir, { passphrase: 'correct horse battery', createIfMissing: true })
  store = await openStudies({ dataDir, vault })
  const models = await openModelRegistry({ bundledDir, installedDir: join(folder, 'models') })
  service = createInferenceService({ ...store, models, version: '0.1.0', settings: () => ({ providerOrder: ['cpu'] }) })
})
afterAll(async () => {
  await service.close()
  await store.studies.close()
  await rm(folder, { recursive: true, force: true })
})

const run = (studyUID: string, model: string, seriesInstanceUID: string | null = null): Promise<InferenceRun> =>
  service.run({ studyInstanceUID: studyUID, seriesInstanceUID, model, version: null, provider: null })

/** The stored SEG, read back frame by frame, as segment numbers on the source volume's grid. */
async function segmentsOnGrid(result: InferenceRun, volume: Volume): Promise<Uint8Array> {
  const study = studyInstanceUID(result.studyInstanceUID)
  const sop = sopInstanceUID(result.segmentation!.sopInstanceUID)
  const [seg] = (await store.studies.metadata(study, { sopInstanceUID: sop })) as [DicomJsonDataset]
  const [nx, ny] = volume.shape
  const labels = new Uint8Array(volume.data.length)
  for (const [i, group] of items(seg, '52009230').entries()) {
    const position = numbers(items(group, '00209113')[0]!, '00200032')!
    const segment = number(items(group, '0062000A')[0]!, '0062000B')!
    const k = Math.round((position[2]! - volume.affine[11]!) / volume.affine[10]!)
    const { bytes } = await store.studies.frame(study, sop, i + 1)
    for (let pixel = 0; pixel < nx * ny; pixel++)
      if (((bytes[pixel >> 3]! >> (pixel & 7)) & 1) === 1) labels[k * nx * ny + pixel] = segment
  }
  return labels
}

function dice(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [both, total] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    const [p, q] = [a[i]! > 0, b[i]! > 0]
    both += p && q ? 1 : 0
    total += Number(p) + Number(q)
  }
  return (2 * both) / total
}

describe.skipIf(!sharedData || !bundled('pet-lesion'))('pet-lesion on the real PET of STS_012', () => {
  it('reads SUV from the header and agrees with the drawn contour as the card says', async () => {
    const pet = sharedPath('dicom/ibsi/ibsi_validation/dicom/STS_012/PET')
    // What train.py measured with its own reading, resampling and tiling in numpy: the floor is that less a margin
    // for the border rules (voxels half covered by the contour, values beyond the edge) that differ.
    const metrics = JSON.parse(await readFile(join(bundledDir, 'pet-lesion/metrics.json'), 'utf8')) as {
      sts_012: {
        dice: { network: number; network_component: number }
        suv_max_in_contour: number
        suv_max_in_image: number
        predicted_ml: number
      }
    }
    const card = metrics.sts_012
    const MARGIN = 0.05

    const { studies, rejected } = await store.importer.import([{ kind: 'path', path: join(pet, 'image') }])
    expect(rejected).toEqual([])
    const result = await run(studies[0]!.studyInstanceUID, 'pet-lesion')
    expect(result.warnings).toEqual([])

    const volume = await assembleVolume(await loadSeries(join(pet, 'image')))
    const [structure] = readStructures((await loadInstance(join(pet, 'mask/RS.dcm'))).dataset)
    const truth = rasteriseContours(structure!.contours, volume)
    const labels = await segmentsOnGrid(result, volume)

    expect(dice(labels, truth)).toBeGreaterThan(card.dice.network - MARGIN)
    // Given a click on the tumour: the findings that touch it, and none of the others.
    const touching = new Set([...labels].filter((label, i) => label > 0 && truth[i] === 1))
    const clicked = labels.map((label) => (touching.has(label) ? label : 0))
    expect(dice(clicked, truth)).toBeGreaterThan(card.dice.network_component - MARGIN)
    const ml = result.findings.reduce((sum, finding) => sum + finding.volumeMl!, 0)
    expect(Math.abs(ml / card.predicted_ml - 1)).toBeLessThan(0.1)

    // SUV: the hottest voxel of the image is in a finding, and the tumour's own maximum is the one numpy read.
    const maxima = result.findings.map(({ measurements }) => measurements!.max)
    const closest = (suv: number): number => Math.min(...maxima.map((max) => Math.abs(max - suv)))
    expect(closest(card.suv_max_in_image)).toBeLessThan(1e-3)
    expect(closest(card.suv_max_in_contour)).toBeLessThan(1e-3)
  })
})
