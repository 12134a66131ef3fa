import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { inferenceRunSchema, type InferenceRun, type Provider } from '#common/contract/inference.ts'
import { text } from '#common/dicom/json.ts'
import { seriesInstanceUID, sopInstanceUID, studyInstanceUID } from '#common/ids.ts'
import { openModelRegistry } from '../models/registry.ts'
import { thresholdPackage, writePackage } from '../models/testing/packages.ts'
import { openStudies } from '../studies/open-studies.ts'
import type { CapsuleAccess } from '../studies/types.ts'
import { openVault } from '../vault/open-vault.ts'
import { openSeries } from './engine/series-reader.ts'
import { forkEngine, type EngineProcess } from './host/spawner.ts'
import { createInferenceService, type InferenceServiceOptions } from './service.ts'
import { ball, petStudy, PET_SIZE, PET_SLICES, type PetStudy, type PetStudyOptions } from './testing/pet-study.ts'
import type { InferenceProgress, InferenceService, ModelRegistry } from './types.ts'

let folder: string
let store: Awaited<ReturnType<typeof openStudies>>
let models: ModelRegistry
let service: InferenceService
let engines: EngineProcess[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alcove-inference-'))
  const dataDir = join(folder, 'data')
  const vault = await openVault(dataDir, { passphrase: 'correct horse battery', createIfMissing: true })
  store = await openStudies({ dataDir, vault })
  const bundledDir = join(folder, 'bundled')
  await writePackage(join(bundledDir, 'fast'), thresholdPackage({ minVolumeMl: 0.5 }))
  await writePackage(
    join(bundledDir, 'slow'),
    thresholdPackage({ id: 'slow', tile: [16, 16, 16], overlap: 0.75, slowLayers: 8, slowChannels: 48 }),
  )
  await writePackage(join(bundledDir, 'wrong'), thresholdPackage({ id: 'wrong', goldenError: 0.1 }))
  models = await openModelRegistry({ bundledDir, installedDir: join(folder, 'installed') })
})
afterAll(async () => {
  await store.studies.close()
  await rm(folder, { recursive: true, force: true })
})

function open(change: Partial<InferenceServiceOptions> & { order?: Provider[] } = {}): InferenceService {
  const { order = ['cpu'], ...rest } = change
  engines = []
  return createInferenceService({
    ...store,
    models,
    version: '0.1.0',
    settings: () => ({ providerOrder: order }),
    spawner: (entry) => {
      const engine = forkEngine(entry)
      engines.push(engine)
      return engine
    },
    ...rest,
  })
}
beforeEach(() => {
  service = open()
})
afterEach(async () => {
  await service.close()
})

async function bringIn(options: PetStudyOptions): Promise<PetStudy> {
  const study = petStudy(options)
  const result = await store.importer.import(study.sources)
  expect(result.rejected).toEqual([])
  return study
}

const request = (study: PetStudy, model = 'suv-threshold', change = {}) => ({
  studyInstanceUID: study.studyInstanceUID,
  seriesInstanceUID: null,
  model,
  version: null,
  provider: null,
  ...change,
})

const hot = ball([20, 9, 15], 4, 8)

describe('running a model on a stored study', () => {
  it('finds the lesion, stores the SEG beside the images and the run with its provenance', async () => {
    const study = await bringIn({ suv: hot })
    const progress: InferenceProgress[] = []
    const run = await service.run(request(study), { onProgress: (one) => progress.push(one) })

    expect(inferenceRunSchema.parse(run)).toEqual(run)
    let voxels = 0
    for (let z = 0; z < PET_SLICES; z++)
      for (let y = 0; y < PET_SIZE; y++) for (let x = 0; x < PET_SIZE; x++) voxels += hot(x, y, z) === 8 ? 1 : 0
    const [finding] = run.findings
    expect(run.findings).toHaveLength(1)
    // 8 SUV is 40 000 Bq/ml is stored 20 000: exact. A voxel of 4 mm holds 0.064 ml; centre (20, 9, 15) → 18, −26, 14 mm.
    expect(finding).toMatchObject({
      label: 'Hot region',
      measurements: { unit: 'SUVbw', mean: 8, max: 8, sd: 0, voxels },
      centreLps: [18, -26, 14],
      sopInstanceUID: study.sopInstanceUIDs[15],
      seriesInstanceUID: study.seriesInstanceUID,
      segmentNumber: 1,
    })
    expect(finding!.volumeMl).toBeCloseTo(voxels * 0.064, 6)
    // Nine voxels of 4 mm across.
    expect(finding!.longestAxialDiameterMm).toBeCloseTo(36, 6)

    const { provenance } = run
    expect(provenance).toMatchObject({
      modelId: 'suv-threshold',
      modelVersion: '1.0.0',
      modelDigest: (await models.find('suv-threshold', null)).digest,
      provider: 'cpu',
      providerNotes: [],
      runtime: 'onnxruntime-node 1.30.0',
      rolloutStage: 'reference',
      app: 'Alcove 0.1.0',
    })
    expect(provenance.inputSopInstanceUIDs).toEqual(study.sopInstanceUIDs)
    const steps = run.timings.map(({ step }) => step)
    expect(steps).toEqual(expect.arrayContaining(['read', 'decode', 'preprocess', 'inference', 'postprocess', 'store']))
    expect(progress.some(({ note, total }) => note === 'Running the model' && total !== null && total > 1)).toBe(true)

    // What was stored, read back.
    const uid = studyInstanceUID(study.studyInstanceUID)
    expect(store.studies.inferenceRuns(uid)).toEqual([run])
    const [seg] = await store.studies.metadata(uid, {
      seriesInstanceUID: seriesInstanceUID(run.segmentation!.seriesInstanceUID),
    })
    expect(text(seg!, '00080060')).toBe('SEG')
    expect(text(seg!, '0008103E')).toBe('suv-threshold 1.0.0')
    expect(text(seg!, '00080018')).toBe(run.segmentation!.sopInstanceUID)
    const sop = sopInstanceUID(run.segmentation!.sopInstanceUID)
    let bits = 0
    for (let frame = 1; frame <= store.studies.instance(uid, sop)!.frames; frame++)
      for (const byte of (await store.studies.frame(uid, sop, frame)).bytes)
        for (let bit = 0; bit < 8; bit++) bits += (byte >> bit) & 1
    expect(bits).toBe(voxels)
  })

  it('that finds nothing stores the run without a SEG', async () => {
    const study = await bringIn({ suv: () => 1 })
    const run = await service.run(request(study))
    expect(run).toMatchObject({ findings: [], segmentation: null, status: 'done' })
    expect(store.studies.study(studyInstanceUID(study.studyInstanceUID))!.seriesList).toHaveLength(1)
  })

  it('gives the same answer twice, the second time without loading anew', async () => {
    const study = await bringIn({ suv: hot })
    const [first, second] = [await service.run(request(study)), await service.run(request(study))]
    expect(second.provenance.preprocessingDigest).toBe(first.provenance.preprocessingDigest)
    const withoutIds = (run: InferenceRun) => run.findings.map((finding) => ({ ...finding, id: '' }))
    expect(withoutIds(second)).toEqual(withoutIds(first))
    expect(engines).toHaveLength(1)
    expect(store.studies.inferenceRuns(studyInstanceUID(study.studyInstanceUID)).map(({ id }) => id)).toEqual([
      second.id,
      first.id,
    ])
  })

  it('prefers the corrected PET to the uncorrected, and says that there were two', async () => {
    const raw = await bringIn({ suv: hot, description: 'NAC', correctedImage: ['DECY'] })
    const corrected = await bringIn({ suv: hot, studyInstanceUID: raw.studyInstanceUID, description: 'AC' })
    const run = await service.run(request(raw))
    expect(run.seriesInstanceUID).toBe(corrected.seriesInstanceUID)
    expect(run.warnings).toEqual([expect.stringContaining('2 series')])
    // Asked for by name, the uncorrected one is refused: its SUV would be made up.
    await expect(
      service.run(request(raw, 'suv-threshold', { seriesInstanceUID: raw.seriesInstanceUID })),
    ).rejects.toMatchObject({ code: 'suv/not-computable' })
  })
})

describe('what cannot be computed is refused, not guessed', () => {
  it.each([
    ['SUV without a weight', { suv: hot, weightKg: null }, 'suv/not-computable'],
    ['a volume with missing slices', { suv: hot, missing: [7, 8] }, 'geometry/unsuitable'],
  ] as const)('%s', async (_, options, code) => {
    const study = await bringIn({ ...options, missing: 'missing' in options ? [...options.missing] : [] })
    await expect(service.run(request(study))).rejects.toMatchObject({ code })
    expect(store.studies.inferenceRuns(studyInstanceUID(study.studyInstanceUID))).toEqual([])
  })

  it('unknown studies, series and models, and models for other images', async () => {
    const study = await bringIn({ suv: hot })
    await expect(service.run(request(study, 'no-such'))).rejects.toMatchObject({ code: 'not-found' })
    await expect(service.run(request({ ...study, studyInstanceUID: '1.2.3' }))).rejects.toMatchObject({
      code: 'not-found',
    })
    await expect(service.run(request(study, 'suv-threshold', { seriesInstanceUID: '1.2.3' }))).rejects.toMatchObject({
      code: 'not-found',
    })
    const ct = join(folder, 'ct-model')
    const content = thresholdPackage({ id: 'ct-only' })
    content.manifest.inputs[0]!.modalities = ['CT']
    await writePackage(ct, content)
    await models.install(ct)
    await expect(service.run(request(study, 'ct-only'))).rejects.toMatchObject({ code: 'model/not-applicable' })
  })

  it('a model no provider computes as its golden case says', async () => {
    const study = await bringIn({ suv: hot })
    await expect(service.run(request(study, 'wrong'))).rejects.toMatchObject({
      code: 'model/golden-case-failed',
      message: expect.stringContaining('golden case'),
    })
  })

  it('a provider that is not there, when it was asked for', async () => {
    const study = await bringIn({ suv: hot })
    const provider = process.platform === 'darwin' ? 'directml' : 'coreml'
    await expect(service.run(request(study, 'suv-threshold', { provider }))).rejects.toMatchObject({
      code: 'inference/provider-unavailable',
    })
    // In the ladder it is passed over, and the run says so.
    await service.close()
    service = open({ order: [provider, 'cpu'] })
    const run = await service.run(request(study))
    expect(run.provenance).toMatchObject({
      provider: 'cpu',
      providerNotes: [expect.stringContaining('could not start')],
    })
  })
})

describe('runs end when they should', () => {
  it('a killed process fails its run, and the next run works', async () => {
    const study = await bringIn({ suv: hot })
    const killed = service.run(request(study, 'slow'), {
      onProgress: ({ note, done }) => {
        if (note === 'Running the model' && done === 2) process.kill(engines[0]!.pid!, 'SIGKILL')
      },
    })
    await expect(killed).rejects.toMatchObject({ code: 'inference/engine-crashed' })
    const run = await service.run(request(study))
    expect(run.findings).toHaveLength(1)
    expect(engines).toHaveLength(2)
  })

  it('a cancelled run stops at once and leaves nothing behind', async () => {
    const study = await bringIn({ suv: hot })
    const controller = new AbortController()
    let cancelledAt = 0
    const cancelled = service.run(request(study, 'slow'), {
      signal: controller.signal,
      onProgress: ({ note, done }) => {
        if (note !== 'Running the model' || done !== 2) return
        cancelledAt = performance.now()
        controller.abort()
      },
    })
    // Waits in line behind it, and is let go without having run.
    const waiting = new AbortController()
    const behind = service.run(request(study), { signal: waiting.signal })
    waiting.abort()
    await expect(behind).rejects.toMatchObject({ code: 'task/cancelled' })
    await expect(cancelled).rejects.toMatchObject({ code: 'task/cancelled' })
    expect(performance.now() - cancelledAt).toBeLessThan(600)
    expect(store.studies.inferenceRuns(studyInstanceUID(study.studyInstanceUID))).toEqual([])
    expect((await service.run(request(study))).status).toBe('done')
  })

  it('a hanging run is ended by its time limit', async () => {
    await service.close()
    service = open({ stallMs: 5 })
    const study = await bringIn({ suv: hot })
    await expect(service.run(request(study, 'slow'))).rejects.toMatchObject({ code: 'task/timeout' })
  })
})

describe('the study on its way to the inference process', () => {
  it('is one file and one key, and the key is overwritten on both sides', async () => {
    const study = await bringIn({ suv: hot })
    const [uid, series] = [studyInstanceUID(study.studyInstanceUID), seriesInstanceUID(study.seriesInstanceUID)]
    const handedOver = vi.spyOn(store.studies, 'capsuleAccess')
    await service.run(request(study))
    const access = handedOver.mock.results[0]!.value as CapsuleAccess
    handedOver.mockRestore()
    expect(access.key).toHaveLength(32)
    expect(access.key.every((byte) => byte === 0)).toBe(true)

    const capsule = store.studies.capsuleAccess(uid)
    expect(capsule.key.some((byte) => byte !== 0)).toBe(true)
    const opened = await openSeries(
      {
        capsule,
        seriesInstanceUID: series,
        instances: store.studies.capsuleInstances(uid, series),
      },
      () => Promise.resolve(),
    )
    opened.close()
    expect(opened.instances.map(({ sopInstanceUID: sop }) => sop)).toEqual(study.sopInstanceUIDs)
    expect(capsule.key.every((byte) => byte === 0)).toBe(true)
  })

  it('is refused when an image is not the one the catalogue remembers', async () => {
    const study = await bringIn({ suv: hot })
    const [uid, series] = [studyInstanceUID(study.studyInstanceUID), seriesInstanceUID(study.seriesInstanceUID)]
    const instances = store.studies.capsuleInstances(uid, series)
    instances[3]!.root = new Uint8Array(32)
    await expect(
      openSeries({ capsule: store.studies.capsuleAccess(uid), seriesInstanceUID: series, instances }, () =>
        Promise.resolve(),
      ),
    ).rejects.toMatchObject({ code: 'store/corrupt' })
  })
})

describe('providers', () => {
  it('are told with what they can do here', async () => {
    const providers = await service.providers()
    expect(providers.find(({ provider }) => provider === 'cpu')).toMatchObject({ available: true })
    for (const { note } of providers) expect(note).toMatch(/^[^/]+\.$/)
  })
})
