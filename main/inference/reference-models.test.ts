import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { items, number, numbers, type DicomJsonDataset } from '#common/dicom/json.ts'
import { sopInstanceUID, studyInstanceUID } from '#common/ids.ts'
import type { InferenceRun } from '#common/contract/inference.ts'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { assembleVolume } from '../dicom/volume/assemble.ts'
import { rasteriseContours, readStructures } from '../dicom/volume/rtstruct.ts'
import { loadInstance, loadSeries } from '../dicom/volume/testing/load-series.ts'
import type { Volume } from '../dicom/volume/types.ts'
import { fromKeywords, type Keywords } from '../dicom/write/dataset.ts'
import { writePart10 } from '../dicom/write/part10.ts'
import { newUid } from '../dicom/write/uid.ts'
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

    // SUV: numpy read the same maxima, and every finding's own is that of its voxels.
    const maximum = (inside: (i: number) => boolean): number =>
      volume.data.reduce((max, value, i) => (inside(i) ? Math.max(max, value) : max), -Infinity)
    expect(volume.unit).toBe('SUVbw')
    expect(maximum(() => true)).toBeCloseTo(card.suv_max_in_image, 3)
    expect(maximum((i) => truth[i] === 1)).toBeCloseTo(card.suv_max_in_contour, 3)
    for (const { segmentNumber, measurements } of result.findings)
      expect(measurements!.max).toBeCloseTo(
        maximum((i) => labels[i] === segmentNumber),
        5,
      )
  })
})

const python = '/usr/bin/python3'
const hasTorch = (() => {
  try {
    execFileSync(python, ['-c', 'import torch, onnx, PIL'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** Test-split radiographs, one of each patient group, so many of each class, in the table's order. */
async function radiographs(perClass: number): Promise<{ path: string; label: number }[]> {
  const set = sharedPath('ml/kermany-cxr-224')
  const [header, ...lines] = (await readFile(join(set, 'splits.tsv'), 'utf8')).trim().split('\n')
  const names = header!.split('\t')
  const rows = lines.map((line) => Object.fromEntries(line.split('\t').map((value, i) => [names[i], value])))
  const chosen: { path: string; label: number }[] = []
  const seen = new Set<string>()
  for (const row of rows) {
    const label = Number(row['label'])
    if (row['suggested_split'] !== 'test' || seen.has(row['group'])) continue
    if (chosen.filter((one) => one.label === label).length === perClass) continue
    seen.add(row['group'])
    chosen.push({ path: join(set, row['file']), label })
  }
  return chosen
}

/** The JPEG as a DX image in three ways: as it is, as native 8-bit grey, and as MONOCHROME1 with 12 bits and a window. */
async function wrapAsDx(
  path: string,
  way: number,
  change: Keywords = {},
): Promise<{ bytes: Uint8Array; study: string; sop: string }> {
  const jpeg = await readFile(path)
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true })
  const grey = Uint8Array.from({ length: info.width * info.height }, (_, i) => data[i * info.channels]!)
  const [study, sop] = [newUid(), newUid()]
  const common = {
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
    SOPInstanceUID: sop,
    StudyInstanceUID: study,
    SeriesInstanceUID: newUid(),
    Modality: 'DX',
    PatientID: 'TEST',
    ViewPosition: 'AP',
    BodyPartExamined: 'CHEST',
    InstanceNumber: 1,
    Rows: info.height,
    Columns: info.width,
    PixelRepresentation: 0,
    ...change,
  }
  const bits = (stored: number) => ({ BitsAllocated: stored > 8 ? 16 : 8, BitsStored: stored, HighBit: stored - 1 })
  if (way === 0) {
    const dataset = fromKeywords({
      ...common,
      ...bits(8),
      SamplesPerPixel: 3,
      PlanarConfiguration: 0,
      PhotometricInterpretation: 'YBR_FULL_422',
    })
    const transferSyntaxUID = '1.2.840.10008.1.2.4.50'
    return { bytes: writePart10(dataset, { transferSyntaxUID, pixels: { frames: [jpeg] } }), study, sop }
  }
  const inverted = way === 2
  const stored = inverted ? Uint16Array.from(grey, (value) => 4095 - Math.round((value * 4095) / 255)) : grey
  const dataset = fromKeywords({
    ...common,
    ...bits(inverted ? 12 : 8),
    SamplesPerPixel: 1,
    PhotometricInterpretation: inverted ? 'MONOCHROME1' : 'MONOCHROME2',
    WindowCenter: inverted ? 2048 : 128,
    WindowWidth: inverted ? 4096 : 256,
  })
  const vr = inverted ? 'OW' : 'OB'
  return { bytes: writePart10(dataset, { pixels: { vr, bytes: new Uint8Array(stored.buffer) } }), study, sop }
}

async function bringIn(bytes: Uint8Array): Promise<void> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes)
  }
  const { rejected } = await store.importer.import([{ kind: 'stream', name: 'dx', chunks: chunks() }])
  expect(rejected).toEqual([])
}

/** Share of (pneumonia, normal) pairs in the right order: the area under the ROC curve by its definition. */
function auc(scored: { label: number; score: number }[]): number {
  const [ill, well] = [1, 0].map((label) => scored.filter((one) => one.label === label)) as [
    typeof scored,
    typeof scored,
  ]
  let right = 0
  for (const a of ill) for (const b of well) right += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0
  return right / (ill.length * well.length)
}

describe.skipIf(!sharedData || !bundled('cxr-pneumonia'))('cxr-pneumonia on real radiographs', () => {
  it('gives the probabilities of an independent reference, and tells the classes apart', async (context) => {
    if (!hasTorch) context.skip('needs python3-torch and python3-onnx for the reference')
    const images = await radiographs(12)
    expect(images).toHaveLength(24)
    const script = resolve(import.meta.dirname, 'testing/reference_scores.py')
    const model = join(bundledDir, 'cxr-pneumonia')
    const reference = JSON.parse(
      execFileSync(python, [script, model, ...images.map(({ path }) => path)], { encoding: 'utf8' }),
    ) as number[]
    const scored: { label: number; score: number }[] = []
    for (const [i, { path, label }] of images.entries()) {
      const { bytes, study, sop } = await wrapAsDx(path, i % 3)
      await bringIn(bytes)
      const result = await run(study, 'cxr-pneumonia')
      const [finding] = result.findings
      expect(result.findings).toHaveLength(1)
      expect(result.segmentation).toBeNull()
      expect(finding).toMatchObject({ kind: 'classification', label: 'Pneumonia', sopInstanceUID: sop, volumeMl: null })
      // Another JPEG decoder and another rounding of grey: a level or two of 255.
      expect(Math.abs(finding!.confidence - reference[i]!)).toBeLessThan(0.005)
      scored.push({ label, score: finding!.confidence })
    }
    expect(auc(scored)).toBeGreaterThan(0.8)
  })

  it('warns on an adult and does not read a lateral view', async () => {
    const [image] = await radiographs(1)
    const adult = await wrapAsDx(image!.path, 1, { PatientAge: '045Y' })
    const lateral = await wrapAsDx(image!.path, 1, { ViewPosition: 'LL' })
    for (const { bytes } of [adult, lateral]) await bringIn(bytes)
    const result = await run(adult.study, 'cxr-pneumonia')
    expect(result.warnings).toEqual([expect.stringMatching(/1 to 5 years.*Do not rely/)])
    await expect(run(lateral.study, 'cxr-pneumonia')).rejects.toMatchObject({ code: 'model/not-applicable' })
  })
})
