import { AlcoveError } from '#common/errors.ts'
import type { InferenceRun } from '#common/contract/inference.ts'
import type { SeriesSummary, StudyDetail, StudySummary } from '#common/contract/studies.ts'
import type { SeriesInstanceUID, SOPInstanceUID, StudyInstanceUID } from '#common/ids.ts'
import { LIMITS } from '#common/limits.ts'
import type { SealedKey } from '../vault/types.ts'
import { CATALOGUE_CACHE_BYTES, CATALOGUE_MIGRATIONS, CATALOGUE_PAGE_BYTES } from './catalogue-schema.ts'
import { migrate, openDatabase, prepared, withStoreErrors } from './database.ts'
import type { Cipher, Connection } from './database.ts'
import { fold } from './match.ts'
import { conditions, registerMatching } from './search.ts'
import type { InstanceRecord, StudyQuery } from './types.ts'

/** @throws AlcoveError vault/wrong-key, store/newer-version, store/corrupt */
export function openCatalogue(path: string, key: Uint8Array, cipher: Cipher): Connection {
  const connection = openDatabase(path, {
    key,
    cipher,
    pageBytes: CATALOGUE_PAGE_BYTES,
    cacheBytes: CATALOGUE_CACHE_BYTES,
    mode: 'create',
  })
  try {
    withStoreErrors(() => connection.pragma('journal_mode = WAL'))
    migrate(connection, CATALOGUE_MIGRATIONS, 'The catalogue')
    registerMatching(connection)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Where to find an instance, and how to know it again: see capsule-format.ts. */
export interface InstancePlace {
  sopInstanceUID: SOPInstanceUID
  row: number
  root: Uint8Array
  sha256: Uint8Array
}

export interface CapsuleRow {
  id: string
  sealedKey: SealedKey
  cipher: Cipher
}

const STUDY_COLUMNS = `uid, patient_name, patient_id, patient_birth_date, patient_sex, study_date, study_time,
  accession_number, description, referring_physician, institution, modalities, series, instances, bytes, received_at`

interface StudyRow {
  uid: string
  patient_name: string | null
  patient_id: string | null
  patient_birth_date: string | null
  patient_sex: string | null
  study_date: string | null
  study_time: string | null
  accession_number: string | null
  description: string | null
  referring_physician: string | null
  institution: string | null
  modalities: string
  series: number
  instances: number
  bytes: number
  received_at: string
}

function studySummary(row: StudyRow): StudySummary {
  return {
    studyInstanceUID: row.uid,
    patientName: row.patient_name,
    patientId: row.patient_id,
    patientBirthDate: row.patient_birth_date,
    patientSex: row.patient_sex,
    studyDate: row.study_date,
    studyTime: row.study_time,
    accessionNumber: row.accession_number,
    description: row.description,
    referringPhysician: row.referring_physician,
    institution: row.institution,
    modalities: row.modalities.split('\\').filter((modality) => modality !== ''),
    series: row.series,
    instances: row.instances,
    bytes: row.bytes,
    receivedAt: row.received_at,
  }
}

/** Sorts with what has no value last, whichever way round. */
const SORT_COLUMNS: Readonly<Record<NonNullable<StudyQuery['sort']>, string>> = {
  studyDate: "nullif(s.study_date || coalesce(s.study_time, ''), '')",
  patientName: "nullif(s.sort_name, '')",
  receivedAt: 's.received_at',
  patientId: 's.patient_id',
  modalities: "nullif(s.modalities, '')",
  description: 's.description COLLATE NOCASE',
}

export function listStudies(connection: Connection, query: StudyQuery): { studies: StudySummary[]; total: number } {
  const { sql, parameters } = conditions(query.match, 'study')
  for (const term of fold(query.search ?? '')
    .split(/[\s^]+/)
    .filter((word) => word !== '')) {
    sql.push('instr(s.search_text, ?) > 0')
    parameters.push(term)
  }
  const where = sql.join(' AND ') || '1'
  const direction = query.descending === true ? 'DESC' : 'ASC'
  const sort = SORT_COLUMNS[query.sort ?? 'receivedAt']
  return withStoreErrors(() => {
    const total = connection
      .prepare<(string | number)[], number>(`SELECT count(*) FROM study s WHERE ${where}`)
      .pluck()
      .get(...parameters)
    const rows = connection
      .prepare<(string | number)[], StudyRow>(
        `SELECT ${STUDY_COLUMNS} FROM study s WHERE ${where}
         ORDER BY ${sort} ${direction} NULLS LAST, s.id ${direction} LIMIT ? OFFSET ?`,
      )
      .all(...parameters, Math.min(query.limit, LIMITS.qidoPageSize), query.offset)
    return { studies: rows.map(studySummary), total: total ?? 0 }
  })
}

interface SeriesRow {
  uid: string
  modality: string
  number: number | null
  description: string | null
  body_part: string | null
  instances: number
  frames: number
  bytes: number
}

export function studyDetail(connection: Connection, uid: StudyInstanceUID): StudyDetail | null {
  return withStoreErrors(() => {
    const study = connection
      .prepare<[string], StudyRow & { id: number }>(`SELECT id, ${STUDY_COLUMNS} FROM study WHERE uid = ?`)
      .get(uid)
    if (study === undefined) return null
    const series = connection
      .prepare<[number], SeriesRow>('SELECT * FROM series WHERE study = ? ORDER BY number, uid')
      .all(study.id)
      .map((row): SeriesSummary => ({
        seriesInstanceUID: row.uid,
        modality: row.modality,
        seriesNumber: row.number,
        description: row.description,
        bodyPart: row.body_part,
        instances: row.instances,
        frames: row.frames,
        bytes: row.bytes,
      }))
    return { ...studySummary(study), seriesList: series }
  })
}

interface InstanceFilter {
  seriesInstanceUID?: SeriesInstanceUID
  sopInstanceUID?: SOPInstanceUID
}

/** FROM, WHERE and ORDER BY over instances in catalogue order; only what is asked for, so that an index answers. */
function instancesWhere(study: StudyInstanceUID, filter: InstanceFilter): { sql: string; parameters: string[] } {
  const where = ['s.uid = ?']
  const parameters: string[] = [study]
  if (filter.seriesInstanceUID !== undefined) {
    where.push('e.uid = ?')
    parameters.push(filter.seriesInstanceUID)
  }
  if (filter.sopInstanceUID !== undefined) {
    where.push('i.uid = ?')
    parameters.push(filter.sopInstanceUID)
  }
  return {
    sql: `FROM instance i JOIN series e ON e.id = i.series JOIN study s ON s.id = e.study
      WHERE ${where.join(' AND ')} ORDER BY e.number, e.uid, i.number, i.uid`,
    parameters,
  }
}

interface InstanceRow {
  study: StudyInstanceUID
  series: SeriesInstanceUID
  uid: SOPInstanceUID
  sop_class: string
  transfer_syntax: string
  number: number | null
  rows: number | null
  columns: number | null
  frames: number
  bytes: number
  sha256: Buffer
}

export function instanceRecords(
  connection: Connection,
  study: StudyInstanceUID,
  filter: InstanceFilter,
): InstanceRecord[] {
  const { sql, parameters } = instancesWhere(study, filter)
  return withStoreErrors(() =>
    prepared<string[], InstanceRow>(
      connection,
      `SELECT s.uid AS study, e.uid AS series, i.uid, i.sop_class, i.transfer_syntax, i.number, i.rows, i.columns,
       i.frames, i.bytes, i.sha256 ${sql}`,
    )
      .all(...parameters)
      .map((row) => ({
        studyInstanceUID: row.study,
        seriesInstanceUID: row.series,
        sopInstanceUID: row.uid,
        sopClassUID: row.sop_class,
        transferSyntaxUID: row.transfer_syntax,
        instanceNumber: row.number,
        rows: row.rows,
        columns: row.columns,
        frames: row.frames,
        bytes: row.bytes,
        sha256: row.sha256.toString('hex'),
      })),
  )
}

export function instancePlaces(
  connection: Connection,
  study: StudyInstanceUID,
  filter: InstanceFilter = {},
): InstancePlace[] {
  const { sql, parameters } = instancesWhere(study, filter)
  return withStoreErrors(() =>
    prepared<string[], InstancePlace>(
      connection,
      `SELECT i.uid AS sopInstanceUID, i.capsule_row AS row, i.root, i.sha256 ${sql}`,
    ).all(...parameters),
  )
}

/** null when there is no such study */
export function capsuleOf(connection: Connection, study: StudyInstanceUID): CapsuleRow | null {
  return (
    withStoreErrors(() =>
      prepared<[string], CapsuleRow>(
        connection,
        `SELECT c.id, c.sealed_key AS sealedKey, c.cipher FROM capsule c JOIN study s ON s.capsule = c.id
         WHERE s.uid = ?`,
      ).get(study),
    ) ?? null
  )
}

/** Newest first. */
export function inferenceRuns(connection: Connection, study: StudyInstanceUID): InferenceRun[] {
  return withStoreErrors(() =>
    connection
      .prepare<[string], string>(
        `SELECT r.run FROM inference_run r JOIN study s ON s.id = r.study WHERE s.uid = ? ORDER BY r.sequence DESC`,
      )
      .pluck()
      .all(study)
      .map((run) => JSON.parse(run) as InferenceRun),
  )
}

/** A run with the same id is replaced. @throws not-found when there is no such study */
export function saveInferenceRun(connection: Connection, run: InferenceRun): void {
  const { changes } = withStoreErrors(() =>
    connection
      .prepare<[string, string, string]>(
        `INSERT INTO inference_run (id, study, run) SELECT ?, id, ? FROM study WHERE uid = ?
         ON CONFLICT (id) DO UPDATE SET run = excluded.run`,
      )
      .run(run.id, JSON.stringify(run), run.studyInstanceUID),
  )
  if (changes === 0) throw new AlcoveError('not-found', 'There is no such study any more.')
}

/** @throws not-found */
export function setFindingReview(
  connection: Connection,
  runId: string,
  findingId: string,
  review: 'pending' | 'accepted' | 'rejected',
): InferenceRun {
  const stored = withStoreErrors(() =>
    connection.prepare<[string], string>('SELECT run FROM inference_run WHERE id = ?').pluck().get(runId),
  )
  const run = stored === undefined ? null : (JSON.parse(stored) as InferenceRun)
  const finding = run?.findings.find((candidate) => candidate.id === findingId)
  if (run === null || finding === undefined) throw new AlcoveError('not-found', 'There is no such finding.')
  finding.review = review
  saveInferenceRun(connection, run)
  return run
}
