import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { entryOfKeyword, entryOfTag } from '#common/dicom/dictionary.ts'
import type { DictionaryEntry } from '#common/dicom/dictionary.ts'
import { LIMITS } from '#common/limits.ts'
import {
  AVAILABLE_TRANSFER_SYNTAX,
  DEFAULT_TAGS,
  element,
  INSTANCE_AVAILABILITY,
  INSTANCES_IN_SERIES,
  INSTANCES_IN_STUDY,
  isComputed,
  levelOf,
  LEVELS,
  MODALITIES_IN_STUDY,
  SERIES_IN_STUDY,
} from './attributes.ts'
import type { Level } from './attributes.ts'
import { withStoreErrors } from './database.ts'
import type { Connection } from './database.ts'
import { isUniversal, matches, matchesValue, splitList, timeRange } from './match.ts'
import type { MatchKey } from './match.ts'
import type { AttributeQuery, AttributeRows } from './types.ts'

const ALIAS: Readonly<Record<Level, string>> = { study: 's', series: 'e', instance: 'i' }
const FROM: Readonly<Record<Level, string>> = {
  study: 'study s',
  series: 'study s JOIN series e ON e.study = s.id',
  instance: 'study s JOIN series e ON e.study = s.id JOIN instance i ON i.series = e.id',
}
const ORDER: Readonly<Record<Level, string>> = {
  study: 's.study_date DESC, s.id',
  series: 's.study_date DESC, s.id, e.number, e.uid',
  instance: 's.study_date DESC, s.id, e.number, e.uid, i.number, i.uid',
}

export interface Conditions {
  sql: string[]
  parameters: (string | number)[]
  ignored: string[]
  /** First tags of the keys applied: they belong into the answer. */
  tags: string[]
}

/** Makes `dicom_matches` and `dicom_value_matches` known to a connection. */
export function registerMatching(connection: Connection): void {
  const keys = new Map<string, MatchKey>()
  connection.function('dicom_matches', { deterministic: true }, (attributes: string, key: string) => {
    let parsed = keys.get(key)
    if (parsed === undefined) {
      if (keys.size > 100) keys.clear()
      parsed = JSON.parse(key) as MatchKey
      keys.set(key, parsed)
    }
    return matches(JSON.parse(attributes) as DicomJsonDataset, parsed) ? 1 : 0
  })
  connection.function(
    'dicom_value_matches',
    { deterministic: true },
    (value: string | null, vr: string, key: string) => (matchesValue(value, vr, key) ? 1 : 0),
  )
}

function entryOf(name: string): DictionaryEntry | null {
  return /^[0-9A-Fa-f]{8}$/.test(name) ? entryOfTag(name.toUpperCase()) : entryOfKeyword(name)
}

/** SQL for the keys of a search; those the catalogue cannot apply are named, as QIDO-RS wants them ignored aloud. */
export function conditions(match: Record<string, string>, level: Level): Conditions {
  const found: Conditions = { sql: [], parameters: [], ignored: [], tags: [] }
  for (const [name, value] of Object.entries(match)) {
    const entries = name.split('.').map(entryOf)
    const [first] = entries
    const last = entries.at(-1)
    const keyLevel = first ? levelOf(first.tag) : null
    const reachable = keyLevel !== null && LEVELS.indexOf(keyLevel) <= LEVELS.indexOf(level)
    if (!first || !last || entries.includes(null) || !reachable) {
      found.ignored.push(name)
      continue
    }
    found.tags.push(first.tag)
    if (isUniversal(value)) continue
    if (first.tag === MODALITIES_IN_STUDY) addModalities(found, value)
    else if (isComputed(first.tag)) found.ignored.push(name)
    else if (entries.length > 1 || !addColumn(found, first.tag, value)) {
      const path = entries.map((entry) => entry?.tag ?? '')
      found.sql.push(`dicom_matches(${ALIAS[keyLevel]}.attributes, ?)`)
      found.parameters.push(JSON.stringify({ path, vr: last.vr, value } satisfies MatchKey))
    }
  }
  return found
}

const UID_COLUMNS: Readonly<Record<string, string>> = { '0020000D': 's.uid', '0020000E': 'e.uid', '00080018': 'i.uid' }
const EXACT_COLUMNS: Readonly<Record<string, string>> = { '00100020': 's.patient_id', '00080050': 's.accession_number' }

/** Keys that an index answers. */
function addColumn(found: Conditions, tag: string, value: string): boolean {
  const uidColumn = UID_COLUMNS[tag]
  if (uidColumn !== undefined) {
    const uids = splitList(value)
    found.sql.push(`${uidColumn} IN (${uids.map(() => '?').join(', ')})`)
    found.parameters.push(...uids)
    return true
  }
  const exactColumn = EXACT_COLUMNS[tag]
  if (exactColumn !== undefined && !/[*?]/.test(value)) {
    found.sql.push(`${exactColumn} = ?`)
    found.parameters.push(value.trim())
    return true
  }
  if (tag === '00080020' && timeRange('DA', value) !== null) {
    // The index narrows down, the rule itself decides.
    const [from] = timeRange('DA', value) ?? ['']
    if (from !== '') {
      found.sql.push('s.study_date >= ?')
      found.parameters.push(from.replace(/[.\s]/g, ''))
    }
  }
  return false
}

/** A study matches when one of its modalities does. */
function addModalities(found: Conditions, value: string): void {
  const wanted = splitList(value)
  const any = wanted.map(() => "dicom_value_matches(m.modality, 'CS', ?)").join(' OR ')
  found.sql.push(`EXISTS (SELECT 1 FROM series m WHERE m.study = s.id AND (${any === '' ? '0' : any}))`)
  found.parameters.push(...wanted)
}

interface Row {
  study: string
  modalities: string
  seriesCount: number
  studyInstances: number
  series: string | null
  seriesInstances: number | null
  instance: string | null
  transferSyntax: string | null
}

const COLUMNS: Readonly<Record<Level, string>> = {
  study: `s.attributes AS study, s.modalities, s.series AS seriesCount, s.instances AS studyInstances,
    NULL AS series, NULL AS seriesInstances, NULL AS instance, NULL AS transferSyntax`,
  series: `s.attributes AS study, s.modalities, s.series AS seriesCount, s.instances AS studyInstances,
    e.attributes AS series, e.instances AS seriesInstances, NULL AS instance, NULL AS transferSyntax`,
  instance: `s.attributes AS study, s.modalities, s.series AS seriesCount, s.instances AS studyInstances,
    e.attributes AS series, e.instances AS seriesInstances, i.attributes AS instance,
    i.transfer_syntax AS transferSyntax`,
}

/** QIDO-RS at one level over the catalogue. */
export function searchAttributes(connection: Connection, level: Level, query: AttributeQuery): AttributeRows {
  const scope: Record<string, string> = {}
  if (query.studyInstanceUID !== undefined) scope['0020000D'] = query.studyInstanceUID
  if (query.seriesInstanceUID !== undefined && level !== 'study') scope['0020000E'] = query.seriesInstanceUID
  const within = conditions(scope, level)
  const wanted = conditions(query.match, level)
  const where = [...within.sql, ...wanted.sql].join(' AND ') || '1'
  const parameters = [...within.parameters, ...wanted.parameters]
  const tags = answerTags(level, query, wanted.tags)
  return withStoreErrors(() => {
    const total = connection
      .prepare<(string | number)[], number>(`SELECT count(*) FROM ${FROM[level]} WHERE ${where}`)
      .pluck()
      .get(...parameters)
    const rows = connection
      .prepare<(string | number)[], Row>(
        `SELECT ${COLUMNS[level]} FROM ${FROM[level]} WHERE ${where} ORDER BY ${ORDER[level]} LIMIT ? OFFSET ?`,
      )
      .all(...parameters, Math.min(query.limit, LIMITS.qidoPageSize), query.offset)
    return { rows: rows.map((row) => answer(row, level, tags)), total: total ?? 0, ignored: wanted.ignored }
  })
}

/** Tags that go into the answer; null for all the catalogue has. */
function answerTags(level: Level, query: AttributeQuery, matched: readonly string[]): ReadonlySet<string> | null {
  if (query.include === 'all') return null
  const tags = new Set<string>([...DEFAULT_TAGS[level], '0020000D', ...matched])
  if (level !== 'study') tags.add('0020000E')
  if (query.studyInstanceUID === undefined) for (const tag of DEFAULT_TAGS.study) tags.add(tag)
  if (query.seriesInstanceUID === undefined && level === 'instance')
    for (const tag of DEFAULT_TAGS.series) tags.add(tag)
  for (const name of query.include ?? []) {
    const entry = entryOf(name.split('.', 1)[0] ?? '')
    if (entry !== null) tags.add(entry.tag)
  }
  return tags
}

function answer(row: Row, level: Level, tags: ReadonlySet<string> | null): DicomJsonDataset {
  const all: DicomJsonDataset = {
    ...(JSON.parse(row.study) as DicomJsonDataset),
    ...(row.series === null ? {} : (JSON.parse(row.series) as DicomJsonDataset)),
    ...(row.instance === null ? {} : (JSON.parse(row.instance) as DicomJsonDataset)),
    [INSTANCE_AVAILABILITY]: element('CS', 'ONLINE'),
    [MODALITIES_IN_STUDY]: element('CS', ...row.modalities.split('\\').filter((modality) => modality !== '')),
    [SERIES_IN_STUDY]: element('IS', row.seriesCount),
    [INSTANCES_IN_STUDY]: element('IS', row.studyInstances),
  }
  if (row.seriesInstances !== null) all[INSTANCES_IN_SERIES] = element('IS', row.seriesInstances)
  if (level === 'instance' && row.transferSyntax !== null)
    all[AVAILABLE_TRANSFER_SYNTAX] = element('UI', row.transferSyntax)
  const chosen: DicomJsonDataset = {}
  for (const tag of Object.keys(all).sort()) {
    const value = all[tag]
    if (value !== undefined && (tags === null || tags.has(tag))) chosen[tag] = value
  }
  return chosen
}
