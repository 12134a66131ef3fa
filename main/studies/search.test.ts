import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { studyInstanceUID } from '#common/ids.ts'
import { makeInstance } from './testing/make-instance.ts'
import { streams, testStore } from './testing/test-store.ts'
import type { TestStore } from './testing/test-store.ts'
import type { AttributeRows } from './types.ts'

let store: TestStore
const text = (vr: string, ...Value: string[]) => ({ vr, Value })

beforeAll(async () => {
  store = await testStore()
  const study = (date: string, id: string, description: string) => ({
    '00080020': text('DA', date),
    '00080030': text('TM', '120000'),
    '00080050': text('SH', `ACC-${id}`),
    '00100020': text('LO', id),
    '00081030': text('LO', description),
  })
  const files: Record<string, Buffer> = {}
  const add = (made: Parameters<typeof makeInstance>[0]) => (files[made.sop] = makeInstance(made))
  const first = { study: '1.1', patientName: 'Müller^Anna', more: study('20240115', 'P1', 'CT Thorax 100%') }
  add({ ...first, series: '1.1.1', sop: '1.1.1.1', modality: 'CT', instanceNumber: 2 })
  add({ ...first, series: '1.1.1', sop: '1.1.1.2', modality: 'CT', instanceNumber: 10 })
  add({ ...first, series: '1.1.1', sop: '1.1.1.3', modality: 'CT', instanceNumber: 1 })
  const request = { '00400275': { vr: 'SQ', Value: [{ '00400009': text('SH', 'STEP7') }] } }
  add({ ...first, series: '1.1.2', sop: '1.1.2.1', modality: 'SEG', more: { ...first.more, ...request } })
  add({
    study: '1.2',
    sop: '1.2.1.1',
    modality: 'MR',
    patientName: 'Smith^John',
    more: study('20240301', 'P2', 'MR Knie'),
  })
  add({
    study: '1.3',
    sop: '1.3.1.1',
    modality: 'CT',
    patientName: 'Smithers^Ann',
    more: study('20231224', 'P1', 'CT Abdomen'),
  })
  await store.importer.import(streams(files))
})
afterAll(() => store.remove())

const uids = (rows: AttributeRows, tag = '0020000D') => rows.rows.map((row) => row[tag]?.Value?.[0])
const sorted = (values: unknown[]) => values.map(String).sort()
const page = { limit: 100, offset: 0 }
const studies = (match: Record<string, string>) => sorted(uids(store.studies.searchStudies({ match, ...page })))

describe('study level', () => {
  it.each<[Record<string, string>, string[]]>([
    [{}, ['1.1', '1.2', '1.3']],
    [{ PatientName: 'müller*' }, ['1.1']],
    [{ PatientName: 'MULLER^ANNA' }, ['1.1']],
    [{ PatientName: 'smith*' }, ['1.2', '1.3']],
    [{ PatientName: 'Smith^J?hn' }, ['1.2']],
    [{ '00100020': 'P1' }, ['1.1', '1.3']],
    [{ PatientID: 'p1' }, []],
    [{ PatientID: 'P?' }, ['1.1', '1.2', '1.3']],
    [{ StudyDate: '20240101-20241231' }, ['1.1', '1.2']],
    [{ StudyDate: '-20240115' }, ['1.1', '1.3']],
    [{ StudyDate: '20240116-' }, ['1.2']],
    [{ StudyDate: '20240301' }, ['1.2']],
    [{ ModalitiesInStudy: 'SEG' }, ['1.1']],
    [{ ModalitiesInStudy: 'CT' }, ['1.1', '1.3']],
    [{ ModalitiesInStudy: 'MR\\SEG' }, ['1.1', '1.2']],
    [{ ModalitiesInStudy: 'C*' }, ['1.1', '1.3']],
    [{ StudyInstanceUID: '1.1,1.2' }, ['1.1', '1.2']],
    [{ StudyDescription: 'CT*', PatientID: 'P1', StudyDate: '2024*' }, ['1.1']],
    [{ StudyDescription: '*100%' }, ['1.1']],
    [{ AccessionNumber: 'ACC-P2' }, ['1.2']],
    [{ StudyDescription: '' }, ['1.1', '1.2', '1.3']],
    [{ PatientName: "x' OR '1'='1" }, []],
  ])('%j', (match, expected) => expect(studies(match)).toEqual(expected))

  it('answers with the default attributes and its counts', () => {
    const { rows } = store.studies.searchStudies({ match: { StudyInstanceUID: '1.1' }, ...page })
    expect(rows[0]).toMatchObject({
      '00080061': { vr: 'CS', Value: ['CT', 'SEG'] },
      '00201206': { vr: 'IS', Value: [2] },
      '00201208': { vr: 'IS', Value: [4] },
      '00080056': { vr: 'CS', Value: ['ONLINE'] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller^Anna' }] },
    })
    expect(Object.keys(rows[0] ?? {})).toEqual(Object.keys(rows[0] ?? {}).sort())
  })

  it('pages, counts all, and names keys it cannot apply', () => {
    const query = { match: { Modality: 'CT', NoSuchKeyword: 'x', '00091001': 'y' }, limit: 2, offset: 1 }
    const result = store.studies.searchStudies(query)
    expect(result.total).toBe(3)
    // Newest study first.
    expect(uids(result)).toEqual(['1.1', '1.3'])
    expect(result.ignored.sort()).toEqual(['00091001', 'Modality', 'NoSuchKeyword'])
  })
})

describe('series and instance level', () => {
  it('searches series over all studies and within one', () => {
    const all = store.studies.searchSeries({ match: { Modality: 'CT' }, ...page })
    expect(uids(all, '0020000E')).toEqual(['1.1.1', '1.3.1'])
    expect(all.rows[0]?.['00100020']).toEqual({ vr: 'LO', Value: ['P1'] })
    const within = store.studies.searchSeries({ match: {}, studyInstanceUID: studyInstanceUID('1.1'), ...page })
    expect(sorted(uids(within, '0020000E'))).toEqual(['1.1.1', '1.1.2'])
    expect(within.rows[0]?.['00100020']).toBeUndefined()
    expect(within.rows.map((row) => row['00201209']?.Value)).toEqual([[3], [1]])
  })

  it('finds a requested step inside its sequence', () => {
    const key = 'RequestAttributesSequence.ScheduledProcedureStepID'
    expect(uids(store.studies.searchSeries({ match: { [key]: 'STEP*' }, ...page }), '0020000E')).toEqual(['1.1.2'])
    expect(uids(store.studies.searchSeries({ match: { '00400275.00400009': 'STEP8' }, ...page }))).toEqual([])
  })

  it('orders instances by number, adds what is asked for, and everything with all', () => {
    const query = { match: { SeriesInstanceUID: '1.1.1' }, studyInstanceUID: studyInstanceUID('1.1'), ...page }
    const result = store.studies.searchInstances(query)
    expect(uids(result, '00080018')).toEqual(['1.1.1.3', '1.1.1.1', '1.1.1.2'])
    expect(result.rows[0]?.['00083002']).toEqual({ vr: 'UI', Value: ['1.2.840.10008.1.2.1'] })
    expect(result.rows[0]?.['00081030']).toBeUndefined()
    const more = store.studies.searchInstances({ ...query, include: ['StudyDescription'], limit: 1 })
    expect(more.rows[0]?.['00081030']?.Value).toEqual(['CT Thorax 100%'])
    expect(more.total).toBe(3)
    const all = store.studies.searchInstances({ ...query, include: 'all' })
    expect(all.rows[0]?.['00080050']?.Value).toEqual(['ACC-P1'])
  })
})

describe("the person's list", () => {
  const list = (query: Partial<Parameters<TestStore['studies']['listStudies']>[0]>) =>
    store.studies.listStudies({ match: {}, ...page, ...query }).studies.map((study) => study.studyInstanceUID)

  it('searches name, id, accession number and description at once, without case or accents', () => {
    expect(list({ search: 'muller' })).toEqual(['1.1'])
    expect(list({ search: 'john SMITH' })).toEqual(['1.2'])
    expect(list({ search: 'thorax' })).toEqual(['1.1'])
    expect(list({ search: 'acc-p2' })).toEqual(['1.2'])
    expect(list({ search: '100%' })).toEqual(['1.1'])
    expect(list({ search: 'nobody' })).toEqual([])
  })

  it('sorts both ways', () => {
    expect(list({ sort: 'studyDate' })).toEqual(['1.3', '1.1', '1.2'])
    expect(list({ sort: 'studyDate', descending: true })).toEqual(['1.2', '1.1', '1.3'])
    expect(list({ sort: 'patientName' })).toEqual(['1.1', '1.2', '1.3'])
    expect(list({ sort: 'description', limit: 1, offset: 1 })).toEqual(['1.1'])
  })

  it('gives a study with its series', () => {
    expect(store.studies.study(studyInstanceUID('1.1'))).toMatchObject({
      patientName: 'Müller^Anna',
      modalities: ['CT', 'SEG'],
      series: 2,
      instances: 4,
      seriesList: [
        { seriesInstanceUID: '1.1.1', modality: 'CT', instances: 3 },
        { seriesInstanceUID: '1.1.2', modality: 'SEG', instances: 1 },
      ],
    })
    expect(store.studies.study(studyInstanceUID('9.9'))).toBeNull()
  })
})
