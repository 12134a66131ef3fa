import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApiClient } from '#common/contract/client.ts'
import { EventStreamParser } from '#common/contract/event-stream.ts'
import { decodeFramePack } from '#common/contract/frame-pack.ts'
import { decodeMasks, unpackMask } from '#common/contract/masks.ts'
import { ROUTES } from '#common/contract/routes.ts'
import type { AppEvent, Task } from '#common/contract/tasks.ts'
import { API_PREFIX } from '#common/contract/route.ts'
import { readInstanceBytes } from '../../dicom/read/index.ts'
import { writeSegmentation } from '../../dicom/write/index.ts'
import { testImage } from '../testing/instances.ts'
import { DOORS, openTestApi, type TestApi } from '../testing/open-test-api.ts'

/** Four CT slices of 4 × 6 pixels, 2 mm apart. */
const SLICES = [0, 1, 2, 3].map((k) =>
  testImage({
    study: '1.1',
    series: '1.1.1',
    instance: `1.1.1.${k + 1}`,
    extra: { InstanceNumber: k + 1, ImagePositionPatient: [0, 0, 2 * k] },
  }),
)

function clientOf(api: TestApi) {
  return createApiClient<Response, RequestInit['body'], AbortSignal>((url, init) => api.fetch(url, init as RequestInit))
}

async function ended(client: ReturnType<typeof clientOf>, id: string): Promise<Task> {
  for (;;) {
    const task = await client.getTask({ params: { task: id } })
    if (task.state !== 'running') return task
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe.each(DOORS)('REST through the %s door', (door) => {
  let api: TestApi
  let client: ReturnType<typeof clientOf>
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alcove-rest-'))
    await Promise.all(SLICES.map(({ instance, bytes }) => writeFile(join(folder, `${instance}.dcm`), bytes)))
    await writeFile(join(folder, 'notes.txt'), 'not an image')
    api = await openTestApi(door)
    client = clientOf(api)
  })
  afterAll(async () => {
    await api.close()
    await rm(folder, { recursive: true })
  })

  it('imports a folder as a task and tells everyone', async () => {
    const controller = new AbortController()
    const response = await client.events({ signal: controller.signal })
    expect(response.headers.get('Content-Type')).toBe('text/event-stream')
    const heard: AppEvent[] = []
    const listening = (async () => {
      const parser = new EventStreamParser()
      const decoder = new TextDecoder()
      for await (const chunk of response.body!) heard.push(...parser.push(decoder.decode(chunk)))
    })().catch(() => {})

    const started = await client.importPaths({ body: { paths: [folder] } })
    expect(started).toMatchObject({ kind: 'import', state: 'running' })
    const task = await ended(client, started.id)
    expect(task).toMatchObject({
      state: 'done',
      result: { imported: 4, duplicates: 0, studies: [{ studyInstanceUID: '1.1', instances: 4 }] },
    })
    expect((task.result as { rejected: { code: string }[] }).rejected).toMatchObject([{ code: 'dicom/not-dicom' }])
    await expect.poll(() => heard.some((event) => event.type === 'task' && event.task.state === 'done')).toBe(true)
    expect(heard.some((event) => event.type === 'studies-changed' && event.studyInstanceUIDs.includes('1.1'))).toBe(
      true,
    )
    controller.abort()
    await listening
  })

  it('takes what was dropped on a browser window, file by file', async () => {
    const upload = await client.startUpload({ body: { files: 3 } })
    const params = { upload: upload.id }
    const dropped = testImage({ study: '1.4', series: '1.4.1', instance: '1.4.1.1' })
    await client.uploadFile({ params, query: { name: 'a.dcm' }, body: new Uint8Array(dropped.bytes) })
    await client.uploadFile({ params, query: { name: 'b.txt' }, body: 'no image' })
    await Promise.all(
      ['c.dcm', 'd.dcm'].map((name) =>
        client.uploadFile({ params, query: { name }, body: new Uint8Array(SLICES[0]!.bytes) }),
      ),
    )
    await client.finishUpload({ params })
    const task = await ended(client, upload.task.id)
    expect(task.result).toMatchObject({ imported: 1, duplicates: 2, rejected: [{ path: 'b.txt' }] })
    await expect(client.finishUpload({ params })).rejects.toMatchObject({ code: 'not-found' })
  })

  it('lists, finds and describes studies', async () => {
    const { studies, total } = await client.listStudies()
    expect(total).toBe(2)
    expect(studies.map((study) => study.studyInstanceUID).toSorted()).toEqual(['1.1', '1.4'])
    expect((await client.listStudies({ query: { search: 'one', modality: 'CT' } })).total).toBe(2)
    expect((await client.listStudies({ query: { modality: 'MR' } })).total).toBe(0)
    expect((await client.listStudies({ query: { modality: 'MR,CT', limit: 1 } })).studies).toHaveLength(1)
    const detail = await client.getStudy({ params: { study: '1.1' } })
    expect(detail).toMatchObject({ patientName: 'Test^One', series: 1, instances: 4, modalities: ['CT'] })
    expect(detail.seriesList).toMatchObject([{ seriesInstanceUID: '1.1.1', instances: 4, frames: 4 }])
  })

  it('says what stored values mean', async () => {
    const calibration = await client.calibration({ params: { study: '1.1', series: '1.1.1' } })
    expect(calibration.unit).toBe('HU')
    expect(calibration.instances).toHaveLength(4)
    expect(calibration.instances[0]).toMatchObject({ slope: 2, intercept: -1000 })
  })

  it('gives frames in bulk, in the order asked', async () => {
    const params = { study: '1.1', series: '1.1.1' }
    const asked = ['1.1.1.3', '1.1.1.1', '1.1.1.3'].map((sop) => ({ sop, frame: 1 }))
    const frames = decodeFramePack(await client.seriesFrames({ params, body: { frames: asked } }))
    expect(frames).toHaveLength(3)
    for (const { bytes } of frames) expect([...new Int16Array(bytes.slice().buffer)].slice(0, 3)).toEqual([-10, -9, -8])
  })

  it('refuses frames of another series, frames that are not there, and too many', async () => {
    const ask = (series: string, frames: { sop: string; frame: number }[]) =>
      client.seriesFrames({ params: { study: '1.1', series }, body: { frames } })
    await expect(ask('1.1.2', [{ sop: '1.1.1.1', frame: 1 }])).rejects.toMatchObject({ code: 'not-found' })
    await expect(ask('1.1.1', [{ sop: '1.1.1.1', frame: 2 }])).rejects.toMatchObject({ code: 'not-found' })
    const many = Array.from({ length: 65 }, () => ({ sop: '1.1.1.1', frame: 1 }))
    await expect(ask('1.1.1', many)).rejects.toMatchObject({ code: 'request/invalid' })
  })

  it('gives the masks of a segmentation on the images they lie on', async () => {
    // 1 at pixel (row 1, column 2) of slice 2, and 2 on the whole of slice 4.
    const labels = new Uint8Array(4 * 24)
    labels[24 + 1 * 6 + 2] = 1
    labels.fill(2, 72)
    const segment = (value: number) => ({
      value,
      label: `Segment ${value}`,
      category: ['49755003', 'SCT', 'Morphologically Altered Structure'] as const,
      type: ['52988006', 'SCT', 'Lesion'] as const,
      colorRgb: [255, 0, 0] as const,
    })
    const written = writeSegmentation({
      slices: SLICES.map(({ bytes }) => ({ dataset: readInstanceBytes(bytes).head.dataset, frame: null })),
      labels,
      segments: [segment(1), segment(2)],
      algorithm: { name: 'test', version: '1', description: 'test', softwareVersion: '1' },
      seriesDescription: 'Test segmentation',
    })!
    await api.fetch('/dicom-web/studies', {
      method: 'POST',
      headers: { 'Content-Type': 'application/dicom' },
      body: new Uint8Array(written.bytes),
    })
    const { segmentations } = await client.listSegmentations({ params: { study: '1.1' } })
    expect(segmentations).toMatchObject([
      {
        sopInstanceUID: written.sopInstanceUID,
        referencedSeriesInstanceUID: '1.1.1',
        segments: [{ number: 1, label: 'Segment 1' }, { number: 2 }],
      },
    ])
    const bytes = await client.segmentationMasks({ params: { study: '1.1', sop: written.sopInstanceUID } })
    const { head, masks } = decodeMasks(bytes, (part) => new TextDecoder().decode(part))
    expect(head).toMatchObject({
      rows: 4,
      columns: 6,
      frames: [
        { segment: 1, sopInstanceUID: '1.1.1.2', positionLps: [0, 0, 2] },
        { segment: 2, sopInstanceUID: '1.1.1.4', positionLps: [0, 0, 6] },
      ],
    })
    const first = unpackMask(masks[0]!, 24)
    expect([...first].flatMap((value, index) => (value === 1 ? [index] : []))).toEqual([8])
    expect(unpackMask(masks[1]!, 24).every((value) => value === 1)).toBe(true)
  })

  it('keeps settings, and refuses what is none', async () => {
    expect((await client.getSettings()).renderBackend).toBe('auto')
    expect((await client.patchSettings({ body: { renderBackend: 'cpu' } })).renderBackend).toBe('cpu')
    expect((await client.getSettings()).renderBackend).toBe('cpu')
    const patch = (body: string, type = 'application/json'): Promise<Response> =>
      api.fetch('/api/v1/settings', { method: 'PATCH', headers: { 'Content-Type': type }, body })
    expect((await patch('{"renderBackend":"magic"}')).status).toBe(400)
    expect((await patch('{"unknown":1}')).status).toBe(400)
    expect((await patch('{')).status).toBe(400)
    expect((await patch('{}', 'text/plain')).status).toBe(415)
    expect((await patch(`"${'x'.repeat(1_100_000)}"`)).status).toBe(413)
  })

  it('knows the models and what runs here', async () => {
    const { models } = await client.listModels()
    expect(models.map((model) => model.id)).toContain('pet-lesion')
    expect((await client.modelCard({ params: { model: 'pet-lesion' } })).markdown).toContain('#')
    await expect(client.modelCard({ params: { model: 'none' } })).rejects.toMatchObject({ code: 'not-found' })
    const { providers } = await client.listProviders()
    expect(providers).toContainEqual(expect.objectContaining({ provider: 'cpu', available: true }))
  })

  it('starts no inference on what is not here', async () => {
    const start = (study: string, model: string) =>
      client.startInference({ body: { studyInstanceUID: study, model } }).then(
        () => 'started',
        (error: { code: string }) => error.code,
      )
    expect(await start('9.9', 'pet-lesion')).toBe('not-found')
    expect(await start('1.1', 'no-such-model')).toBe('not-found')
  })

  it('fails an inference that does not apply, with the reason in its task', async () => {
    const { id } = await client.startInference({ body: { studyInstanceUID: '1.1', model: 'pet-lesion' } })
    expect(await ended(client, id)).toMatchObject({ state: 'failed', error: { code: 'model/not-applicable' } })
    expect((await client.listRuns({ params: { study: '1.1' } })).runs).toEqual([])
    expect((await client.cancelTask({ params: { task: id } })).state).toBe('failed')
  })

  it('tells about itself', async () => {
    expect(await client.appInfo()).toMatchObject({
      name: 'Alcove',
      shell: 'headless',
      vault: { state: 'unlocked' },
      notice: expect.stringContaining('Not a medical device') as string,
    })
  })

  it('deletes a study for good', async () => {
    await client.deleteStudy({ params: { study: '1.4' } })
    await expect(client.getStudy({ params: { study: '1.4' } })).rejects.toMatchObject({ code: 'not-found' })
    await expect(client.deleteStudy({ params: { study: '1.4' } })).rejects.toMatchObject({ code: 'not-found' })
  })

  it.each([
    ['GET', '/api/v1/nothing', 404],
    ['GET', '/api/v1/studies/not-a-uid', 404],
    ['GET', '/api/v1/studies/9.9', 404],
    ['GET', '/api/v1/tasks/9', 404],
    ['GET', '/api/v1/studies?limit=0', 400],
    ['GET', '/api/v1/studies?sort=shoe-size', 400],
    ['PUT', '/api/v1/studies', 405],
    ['DELETE', '/dicom-web/studies/1.1', 405],
    ['GET', '/', 404],
  ])('%s %s → %i as a problem', async (method, path, status) => {
    const response = await api.fetch(path, { method })
    expect(response.status).toBe(status)
    expect(response.headers.get('Content-Type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({
      status,
      type: expect.stringContaining('urn:alcove:error:') as string,
    })
  })

  it('answers HEAD and OPTIONS, and never shares across origins', async () => {
    const head = await api.fetch('/api/v1/app', { method: 'HEAD' })
    expect(head.status).toBe(200)
    expect(await head.text()).toBe('')
    const options = await api.fetch('/api/v1/studies/1.1', { method: 'OPTIONS' })
    expect(options.status).toBe(204)
    expect(options.headers.get('Allow')!.split(', ').toSorted()).toEqual(['DELETE', 'GET', 'HEAD', 'OPTIONS'])
    for (const response of [head, options]) {
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
      expect(response.headers.get('Cache-Control')).toBe('no-store')
      expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff')
    }
  })

  it('serves every route of the contract', async () => {
    for (const { method, path } of Object.values(ROUTES)) {
      const response = await api.fetch(`${API_PREFIX}${path.replaceAll(/\{\w+\}/g, '0')}`, { method: 'OPTIONS' })
      expect(response.headers.get('Allow')!.split(', '), `${method} ${path}`).toContain(method)
    }
  })

  it('describes itself as OpenAPI 3.1', async () => {
    const document = (await client.openapi()) as {
      openapi: string
      paths: Record<string, Record<string, { operationId: string; parameters: { name: string; in: string }[] }>>
    }
    expect(document.openapi).toBe('3.1.0')
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
    )
    expect(operations.map((operation) => operation.operationId).toSorted()).toEqual(Object.keys(ROUTES).toSorted())
    for (const { path, parameters } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      expect(parameters.filter((one) => one.in === 'path').map((one) => one.name)).toEqual(named)
    }
    const references = JSON.stringify(document).match(/"\$ref":"[^"]+"/g) ?? []
    expect(new Set(references)).toEqual(new Set(['"$ref":"#/components/schemas/Problem"']))
  })
})
