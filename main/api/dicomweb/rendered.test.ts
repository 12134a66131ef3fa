import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { multipartBody, testImage } from '../testing/instances.ts'
import { openTestApi, type TestApi } from '../testing/open-test-api.ts'

/** 4 rows × 6 columns with stored values 0, 20, 40 … 460; HU = 2·stored − 1000. Pixels twice as high as wide. */
const STORED = Int16Array.from({ length: 24 }, (_, index) => index * 20)
const PATH = '/dicom-web/studies/1.1/series/1.1.1/instances/1.1.1.1'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
  const images = [
    testImage({ study: '1.1', series: '1.1.1', instance: '1.1.1.1', pixels: STORED }),
    testImage({ study: '1.2', series: '1.2.1', instance: '1.2.1.1', extra: { PixelSpacing: [2, 1] } }),
    testImage({ study: '1.3', series: '1.3.1', instance: '1.3.1.1', frames: 3, rows: 40, columns: 60 }),
    testImage({ study: '1.4', series: '1.4.1', instance: '1.4.1.1', rows: 40, columns: 60 }),
    testImage({
      study: '1.4',
      series: '1.4.2',
      instance: '1.4.2.1',
      frames: 3,
      rows: 60,
      columns: 40,
      extra: { SOPClassUID: '1.2.840.10008.5.1.4.1.1.66.4', Modality: 'SEG' },
    }),
  ]
  const { body, contentType } = multipartBody(images.map(({ bytes }) => ({ contentType: 'application/dicom', bytes })))
  await api.fetch('/dicom-web/studies', { method: 'POST', headers: { 'Content-Type': contentType }, body })
})
afterAll(() => api.close())

async function pixels(path: string, accept = 'image/png') {
  const response = await api.fetch(path, { headers: { Accept: accept } })
  expect(response.status).toBe(200)
  expect(response.headers.get('Content-Type')).toBe(accept)
  const { data, info } = await sharp(Buffer.from(await response.arrayBuffer()))
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { values: [...data], info }
}

describe('rendered', () => {
  it('applies the window asked for, by the formula of PS3.3 C.11.2.1.2', async () => {
    const { values, info } = await pixels(`${PATH}/rendered?window=-500,401,linear`)
    expect(info).toMatchObject({ width: 6, height: 4, channels: 1 })
    // c = -500.5, range 400: HU -700.5 is black, -300.5 is white.
    const expected = [...STORED].map((stored) => {
      const hu = 2 * stored - 1000
      return Math.max(0, Math.min(255, Math.round(((hu - -500.5) / 400 + 0.5) * 255)))
    })
    expect(values).toEqual(expected)
  })

  it('takes the window of the header otherwise', async () => {
    // Window 40/400: low = 39.5 - 199.5 = -160, and the brightest pixel has HU -80.
    const { values } = await pixels(`${PATH}/rendered`)
    expect(values[23]).toBe(Math.round(((-80 + 160) / 399) * 255))
    expect(values[18]).toBe(0)
  })

  it('shows a part, mirrored, in the size asked for', async () => {
    const { values } = await pixels(`${PATH}/rendered?window=-500,401,linear&viewport=3,2,0,0,-3,2`)
    const whole = await pixels(`${PATH}/rendered?window=-500,401,linear`)
    expect(values).toEqual([2, 1, 0, 8, 7, 6].map((index) => whole.values[index]))
  })

  it('keeps proportions: pixels twice as high as wide become square', async () => {
    const { info } = await pixels('/dicom-web/studies/1.2/series/1.2.1/instances/1.2.1.1/rendered')
    expect(info).toMatchObject({ width: 6, height: 8 })
  })

  it('gives JPEG by preference and thumbnails that fit', async () => {
    const jpeg = await api.fetch('/dicom-web/studies/1.3/series/1.3.1/instances/1.3.1.1/frames/2/rendered')
    expect(jpeg.headers.get('Content-Type')).toBe('image/jpeg')
    await jpeg.body?.cancel()
    for (const level of ['', '/series/1.3.1', '/series/1.3.1/instances/1.3.1.1']) {
      const { info } = await pixels(`/dicom-web/studies/1.3${level}/thumbnail?viewport=30,30`, 'image/jpeg')
      expect(info).toMatchObject({ width: 30, height: 20 })
    }
  })

  it('shows of a study its images, however many frames a segmentation has', async () => {
    const { info } = await pixels('/dicom-web/studies/1.4/thumbnail?viewport=30,30', 'image/jpeg')
    expect(info).toMatchObject({ width: 30, height: 20 })
    const segmentation = await pixels('/dicom-web/studies/1.4/series/1.4.2/thumbnail?viewport=30,30', 'image/jpeg')
    expect(segmentation.info).toMatchObject({ width: 20, height: 30 })
  })

  it.each([
    [`${PATH}/rendered?quality=0`, '*/*', 400],
    [`${PATH}/rendered`, 'image/gif', 406],
    ['/dicom-web/studies/1.3/series/1.3.1/instances/1.3.1.1/frames/1,2/rendered', '*/*', 400],
    ['/dicom-web/studies/1.3/series/1.3.1/instances/1.3.1.1/frames/4/rendered', '*/*', 404],
  ])('%s as %s → %i', async (path, accept, status) => {
    expect((await api.fetch(path, { headers: { Accept: accept } })).status).toBe(status)
  })
})

describe("the window's own scheme", () => {
  it('is answered with addresses of that scheme', async () => {
    const response = await api.handler(new Request('app://alcove/dicom-web/studies?StudyInstanceUID=1.1'))
    expect(response.status).toBe(200)
    const [row] = (await response.json()) as Record<string, { Value: string[] }>[]
    expect(row!['00081190']!.Value).toEqual(['app://alcove/dicom-web/studies/1.1'])
    const metadata = await api.handler(new Request(`app://alcove${PATH}/metadata`))
    const [dataset] = (await metadata.json()) as Record<string, { BulkDataURI?: string }>[]
    expect(dataset!['7FE00010']!.BulkDataURI).toBe(`app://alcove${PATH}/pixeldata`)
  })
})
