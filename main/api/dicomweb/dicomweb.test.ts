import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { CT_IMAGE_STORAGE, multipartBody, receivedParts, testImage } from '../testing/instances.ts'
import { DOORS, openTestApi, type TestApi } from '../testing/open-test-api.ts'

/** Three studies: 1.1 (one series of three), 1.2 (two series of one and two), 1.3 (one multi-frame image). */
const IMAGES = [
  ...[1, 2, 3].map((n) =>
    testImage({
      study: '1.1',
      series: '1.1.1',
      instance: `1.1.1.${n}`,
      extra: { InstanceNumber: n, ImagePositionPatient: [0, 0, n] },
    }),
  ),
  testImage({
    study: '1.2',
    series: '1.2.1',
    instance: '1.2.1.1',
    extra: { PatientName: 'Müller^Änne', PatientID: 'T2', StudyDate: '20240215', SeriesNumber: 1 },
  }),
  ...[1, 2].map((n) =>
    testImage({
      study: '1.2',
      series: '1.2.2',
      instance: `1.2.2.${n}`,
      extra: {
        PatientName: 'Müller^Änne',
        PatientID: 'T2',
        StudyDate: '20240215',
        SeriesNumber: 2,
        Modality: 'PT',
        InstanceNumber: n,
      },
    }),
  ),
  testImage({
    study: '1.3',
    series: '1.3.1',
    instance: '1.3.1.1',
    frames: 5,
    extra: { PatientName: 'Test^Three', PatientID: 'T3', StudyDate: '20240301', AccessionNumber: 'A3' },
  }),
]

const JSON_TYPE = 'application/dicom+json'

describe.each(DOORS)('DICOMweb through the %s door', (door) => {
  let api: TestApi

  beforeAll(async () => {
    api = await openTestApi(door)
    const { body, contentType } = multipartBody(
      IMAGES.map(({ bytes }) => ({ contentType: 'application/dicom', bytes })),
    )
    const response = await api.fetch('/dicom-web/studies', {
      method: 'POST',
      headers: { 'Content-Type': contentType, Accept: JSON_TYPE },
      body,
    })
    expect(response.status).toBe(200)
    const stored = (await response.json()) as DicomJsonDataset
    expect(stored['00081199']!.Value).toHaveLength(IMAGES.length)
    expect(stored['00081198']).toBeUndefined()
    expect(stored['00081199']!.Value![0]).toEqual({
      '00081150': { vr: 'UI', Value: [CT_IMAGE_STORAGE] },
      '00081155': { vr: 'UI', Value: ['1.1.1.1'] },
      '00081190': { vr: 'UR', Value: [`${api.origin}/dicom-web/studies/1.1/series/1.1.1/instances/1.1.1.1`] },
    })
  })
  afterAll(() => api.close())

  const search = async (path: string): Promise<{ rows: DicomJsonDataset[]; response: Response }> => {
    const response = await api.fetch(`/dicom-web${path}`, { headers: { Accept: JSON_TYPE } })
    expect(response.status).toBe(200)
    expect(response.headers.get('Content-Type')).toBe(JSON_TYPE)
    return { rows: (await response.json()) as DicomJsonDataset[], response }
  }
  const sorted = (list: unknown[]): unknown[] => list.toSorted((a, b) => String(a).localeCompare(String(b)))
  const values = (rows: DicomJsonDataset[], tag: string): unknown[] => sorted(rows.map((row) => row[tag]?.Value?.[0]))

  describe('QIDO-RS', () => {
    it.each([
      ['/studies', ['1.1', '1.2', '1.3']],
      ['/studies?PatientID=T2', ['1.2']],
      ['/studies?00100020=T2', ['1.2']],
      ['/studies?PatientName=test*', ['1.1', '1.3']],
      ['/studies?PatientName=M%C3%BCller*', ['1.2']],
      ['/studies?StudyDate=20240201-20240228', ['1.2']],
      ['/studies?StudyDate=20240215-', ['1.2', '1.3']],
      ['/studies?StudyDate=-20240131', ['1.1']],
      ['/studies?StudyInstanceUID=1.1,1.3', ['1.1', '1.3']],
      ['/studies?StudyInstanceUID=1.1&StudyInstanceUID=1.2', ['1.1', '1.2']],
      ['/studies?ModalitiesInStudy=PT', ['1.2']],
      ['/studies?AccessionNumber=A?', ['1.1', '1.2', '1.3']],
      ['/studies?PatientID=nobody', []],
    ])('%s', async (path, expected) => {
      const { rows } = await search(path)
      expect(values(rows, '0020000D')).toEqual(expected)
    })

    it('gives the attributes table 10.6.3-3 requires', async () => {
      const { rows } = await search('/studies?PatientID=T2')
      const [row] = rows
      for (const tag of [
        '00080020',
        '00080030',
        '00080050',
        '00080061',
        '00080090',
        '00081190',
        '00100010',
        '00100020',
        '00100030',
        '00100040',
        '0020000D',
        '00200010',
        '00201206',
        '00201208',
      ]) {
        expect(row, tag).toHaveProperty(tag)
      }
      expect(row!['00081190']!.Value).toEqual([`${api.origin}/dicom-web/studies/1.2`])
      expect(sorted([...row!['00080061']!.Value!])).toEqual(['CT', 'PT'])
      expect(row!['00201206']!.Value).toEqual([2])
      expect(row!['00201208']!.Value).toEqual([3])
      expect(row!['00100010']!.Value).toEqual([{ Alphabetic: 'Müller^Änne' }])
    })

    it.each([
      ['/series', 4],
      ['/studies/1.2/series', 2],
      ['/studies/1.2/series?Modality=PT', 1],
      ['/instances', 7],
      ['/studies/1.2/instances', 3],
      ['/studies/1.2/series/1.2.2/instances', 2],
      ['/instances?SOPInstanceUID=1.3.1.1', 1],
      ['/studies/1.1/instances?InstanceNumber=2', 1],
    ])('%s finds %i', async (path, expected) => {
      expect((await search(path)).rows).toHaveLength(expected)
    })

    it('adds the upper levels to rows that name no study, and retrieve addresses to all', async () => {
      const { rows } = await search('/instances?SOPInstanceUID=1.2.2.1')
      expect(rows[0]!['0020000D']!.Value).toEqual(['1.2'])
      expect(rows[0]!['0020000E']!.Value).toEqual(['1.2.2'])
      expect(rows[0]!['00081190']!.Value).toEqual([
        `${api.origin}/dicom-web/studies/1.2/series/1.2.2/instances/1.2.2.1`,
      ])
    })

    it('pages, and says how many remain', async () => {
      const first = await search('/studies?limit=2')
      expect(first.rows).toHaveLength(2)
      expect(first.response.headers.get('Warning')).toContain('There are 1 additional results that can be requested')
      const second = await search('/studies?limit=2&offset=2')
      expect(second.response.headers.get('Warning')).toBeNull()
      expect(sorted([...values(first.rows, '0020000D'), ...values(second.rows, '0020000D')])).toEqual([
        '1.1',
        '1.2',
        '1.3',
      ])
    })

    it('includes what was asked for', async () => {
      const path = '/studies/1.1/instances?InstanceNumber=2'
      expect((await search(path)).rows[0]).not.toHaveProperty('00200032')
      for (const field of ['ImagePositionPatient', '00200032', 'all']) {
        const { rows } = await search(`${path}&includefield=${field}`)
        expect(rows[0]!['00200032']!.Value).toEqual([0, 0, 2])
      }
    })

    it('warns that fuzzy matching is not done', async () => {
      const { response } = await search('/studies?fuzzymatching=true')
      expect(response.headers.get('Warning')).toMatch(/^299 .*fuzzymatching/)
    })

    it.each([
      ['/dicom-web/studies?limit=-1', 400],
      ['/dicom-web/studies?offset=x', 400],
      ['/dicom-web/studies?Bad%20Key=1', 400],
      ['/dicom-web/studies?fuzzymatching=maybe', 400],
      ['/dicom-web/studies/9.9.9/series', 404],
      ['/dicom-web/studies/not-a-uid/series', 400],
      ['/dicom-web/nothing', 404],
    ])('%s → %i', async (path, status) => {
      const response = await api.fetch(path)
      expect(response.status).toBe(status)
      expect(response.headers.get('Content-Type')).toBe('application/problem+json')
      expect(await response.json()).toMatchObject({ status })
    })

    it('does not write XML', async () => {
      const accept = 'multipart/related; type="application/dicom+xml"'
      expect((await api.fetch('/dicom-web/studies', { headers: { Accept: accept } })).status).toBe(406)
    })
  })

  describe('WADO-RS', () => {
    const INSTANCE = '/dicom-web/studies/1.1/series/1.1.1/instances/1.1.1.2'

    it('gives one instance byte for byte, alone and in an envelope', async () => {
      const single = await api.fetch(INSTANCE, { headers: { Accept: 'application/dicom' } })
      expect(single.headers.get('Content-Type')).toBe('application/dicom; transfer-syntax=1.2.840.10008.1.2.1')
      expect(Buffer.from(await single.arrayBuffer()).equals(IMAGES[1]!.bytes)).toBe(true)
      const [part] = await receivedParts(
        await api.fetch(INSTANCE, { headers: { Accept: 'multipart/related; type="application/dicom"' } }),
      )
      expect(part!.bytes.equals(IMAGES[1]!.bytes)).toBe(true)
    })

    it('gives a study and a series whole', async () => {
      const study = await receivedParts(await api.fetch('/dicom-web/studies/1.2'))
      expect(study.map((part) => part.bytes.toString('hex')).sort()).toEqual(
        IMAGES.filter((image) => image.study === '1.2')
          .map((image) => Buffer.from(image.bytes).toString('hex'))
          .sort(),
      )
      expect(await receivedParts(await api.fetch('/dicom-web/studies/1.2/series/1.2.2'))).toHaveLength(2)
    })

    it.each([['application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90'], ['image/png'], ['application/dicom+xml']])(
      'does not answer %s for an instance',
      async (accept) => {
        expect((await api.fetch(INSTANCE, { headers: { Accept: accept } })).status).toBe(406)
      },
    )

    it('describes instances by DICOM JSON', async () => {
      const response = await api.fetch('/dicom-web/studies/1.1/metadata', { headers: { Accept: JSON_TYPE } })
      const rows = (await response.json()) as DicomJsonDataset[]
      expect(rows.map((row) => row['00080018']!.Value![0])).toEqual(['1.1.1.1', '1.1.1.2', '1.1.1.3'])
      expect(rows[0]!['00281053']!.Value).toEqual([2])
      expect(rows[0]!['7FE00010']!.BulkDataURI).toBe(
        `${api.origin}/dicom-web/studies/1.1/series/1.1.1/instances/1.1.1.1/pixeldata`,
      )
    })

    it('gives frames as cornerstone asks for them', async () => {
      const accept = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
      const response = await api.fetch(`${INSTANCE}/frames/1`, { headers: { Accept: accept } })
      const [part] = await receivedParts(response)
      expect(part!.headers['content-type']).toBe('application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1')
      // testImage: stored values count up from -10.
      const expected = Buffer.alloc(48)
      for (let index = 0; index < 24; index++) expected.writeInt16LE(index - 10, index * 2)
      expect(part!.bytes.equals(expected)).toBe(true)
    })

    it('gives several frames in the order asked for', async () => {
      const path = '/dicom-web/studies/1.3/series/1.3.1/instances/1.3.1.1/frames/5,2'
      const parts = await receivedParts(await api.fetch(path))
      expect(parts.map((part) => part.bytes.readInt16LE(0))).toEqual([4 * 24 - 10, 24 - 10])
      expect(parts[0]!.headers['content-location']).toMatch(/\/frames\/5$/)
      const single = await api.fetch(path, { headers: { Accept: 'application/octet-stream' } })
      expect(single.status).toBe(406)
    })

    it('gives bulk data by the addresses in the metadata, and nothing beyond the file', async () => {
      const profile = Uint8Array.from({ length: 5000 }, (_, index) => index * 7)
      const image = testImage({ study: '1.7', series: '1.7.1', instance: '1.7.1.1', extra: { ICCProfile: profile } })
      await api.fetch('/dicom-web/studies', {
        method: 'POST',
        headers: { 'Content-Type': 'application/dicom' },
        body: new Uint8Array(image.bytes),
      })
      const [row] = (await (await api.fetch('/dicom-web/studies/1.7/metadata')).json()) as DicomJsonDataset[]
      const path = row!['00282000']!.BulkDataURI!.slice(api.origin.length)
      const single = await api.fetch(path, { headers: { Accept: 'application/octet-stream' } })
      expect(Buffer.from(await single.arrayBuffer()).equals(profile)).toBe(true)
      const multipart = 'multipart/related; type="application/octet-stream"'
      const [part] = await receivedParts(await api.fetch(path, { headers: { Accept: multipart } }))
      expect(part!.bytes.equals(profile)).toBe(true)
      expect((await api.fetch(path, { headers: { Accept: 'image/png' } })).status).toBe(406)
      const beyond = path.replace(/[0-9]+-[0-9]+$/, '0-99999999999')
      expect((await api.fetch(beyond)).status).toBe(404)
      expect((await api.fetch('/api/v1/studies/1.7', { method: 'DELETE' })).status).toBe(204)
    })

    it.each([
      ['/frames/2', 404],
      ['/frames/0', 400],
      ['/frames/x', 400],
      ['/bulkdata/nonsense', 404],
    ])('%s → %i', async (suffix, status) => {
      expect((await api.fetch(INSTANCE + suffix)).status).toBe(status)
    })

    it.each([
      '/dicom-web/studies/1.1/series/1.2.1',
      '/dicom-web/studies/1.1/series/1.2.1/instances/1.1.1.1',
      '/dicom-web/studies/9.9/metadata',
    ])('%s is not there', async (path) => {
      expect((await api.fetch(path)).status).toBe(404)
    })
  })

  describe('STOW-RS', () => {
    const post = (path: string, contentType: string, body: Uint8Array<ArrayBuffer> | string): Promise<Response> =>
      api.fetch(path, { method: 'POST', headers: { 'Content-Type': contentType, Accept: JSON_TYPE }, body })

    it('stores what it can and names what it cannot: 202', async () => {
      const { body, contentType } = multipartBody([
        { contentType: 'application/dicom', bytes: IMAGES[0]!.bytes },
        { contentType: 'application/dicom', bytes: Buffer.from('This is no DICOM at all.') },
      ])
      const response = await post('/dicom-web/studies', contentType, body)
      expect(response.status).toBe(202)
      const stored = (await response.json()) as DicomJsonDataset
      expect(stored['00081199']!.Value).toHaveLength(1)
      expect(stored['0008119A']!.Value).toEqual([{ '00081197': { vr: 'US', Value: [0xc000] } }])
    })

    it('stores nothing of another study than the address names: 409', async () => {
      const { body, contentType } = multipartBody([
        {
          contentType: 'application/dicom',
          bytes: testImage({ study: '5.5', series: '5.5.1', instance: '5.5.1.1' }).bytes,
        },
      ])
      const response = await post('/dicom-web/studies/5.6', contentType, body)
      expect(response.status).toBe(409)
      const failed = ((await response.json()) as DicomJsonDataset)['00081198']!.Value as DicomJsonDataset[]
      expect(failed[0]!['00081155']!.Value).toEqual(['5.5.1.1'])
      expect(failed[0]!['00081197']!.Value).toEqual([0xa900])
      expect((await api.fetch('/dicom-web/studies/5.5/metadata')).status).toBe(404)
    })

    it.each([
      ['text/plain', 'x', 415],
      ['multipart/related; type="application/dicom+json"; boundary=b', 'x', 415],
      ['multipart/related; type="application/dicom"', 'x', 400],
      ['multipart/related; type="application/dicom"; boundary=b', '--b\r\n\r\ncut', 400],
      ['multipart/related; type="application/dicom"; boundary=b', '--b--', 400],
    ])('%s %j → %i', async (contentType, body, status) => {
      expect((await post('/dicom-web/studies', contentType, body)).status).toBe(status)
    })
  })
})
