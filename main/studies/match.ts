import type { DicomJsonDataset, DicomJsonValue, PersonNameJson } from '#common/dicom/json.ts'

/** One search key, ready to be compared: PS3.4 section C.2.2.2, in the form QIDO-RS gives it (PS3.18 section 8.3.4). */
export interface MatchKey {
  /** Tags from the data set down through sequences. */
  path: readonly string[]
  vr: string
  value: string
}

const NUMERIC_VRS: ReadonlySet<string> = new Set(['DS', 'IS', 'US', 'SS', 'UL', 'SL', 'FL', 'FD', 'SV', 'UV', 'xs'])

/** Does any value of the element at the key's path match? Absent elements match only the empty key and `*`. */
export function matches(dataset: DicomJsonDataset, key: MatchKey): boolean {
  if (isUniversal(key.value)) return true
  return matchesAt(dataset, key, 0)
}

export function isUniversal(value: string): boolean {
  return /^\**$/.test(value)
}

function matchesAt(dataset: DicomJsonDataset, key: MatchKey, depth: number): boolean {
  const tag = key.path[depth]
  const values = tag === undefined ? [] : (dataset[tag]?.Value ?? [])
  if (depth < key.path.length - 1)
    return values.some(
      (value) => typeof value === 'object' && value !== null && matchesAt(value as DicomJsonDataset, key, depth + 1),
    )
  return values.some((value) => matchesValue(value, key.vr, key.value))
}

/** One value against one key. Exported for the catalogue's own columns. */
export function matchesValue(value: DicomJsonValue, vr: string, key: string): boolean {
  if (value === null) return false
  if (typeof value === 'object') return vr === 'PN' && matchesPersonName(value, key)
  if (NUMERIC_VRS.has(vr)) return key.trim() !== '' && Number(value) === Number(key)
  const text = String(value).trim()
  switch (vr) {
    case 'UI':
      return splitList(key).includes(text)
    case 'DA':
    case 'TM':
    case 'DT':
      return matchesTime(text, vr, key)
    case 'PN':
      return matchesPersonName({ Alphabetic: text }, key)
    default:
      return glob(text, key.trim())
  }
}

/** UID lists come with a backslash (DIMSE) or a comma (QIDO-RS). */
export function splitList(value: string): string[] {
  return value
    .split(/[\\,]/)
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** Lower case, without accents: "Müller" is found by "muller". */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
}

function matchesPersonName(name: PersonNameJson, key: string): boolean {
  const trim = (text: string) => fold(text).trim().replace(/\^+$/, '')
  const wanted = trim(key)
  return [name.Alphabetic, name.Ideographic, name.Phonetic].some(
    (group) => group !== undefined && glob(trim(group), wanted),
  )
}

/** "a", "a-", "-b", "a-b"; an end may be less precise than the value ("2024" holds all of that year). */
function matchesTime(text: string, vr: string, key: string): boolean {
  const plain = (part: string) => (vr === 'DA' ? part.replace(/[.\-\s]/g, '') : part.replace(/[:\s]/g, ''))
  const value = plain(text)
  const range = timeRange(vr, key)
  // Wildcards are not the standard's for these; people use them.
  if (range === null) return glob(value, plain(key)) || (vr === 'TM' && value.split('.')[0] === plain(key))
  const [from, to] = range
  return (from === '' || value >= plain(from)) && (to === '' || value.slice(0, plain(to).length) <= plain(to))
}

/** Both ends of a range, '' when open; null when the key is no range. */
export function timeRange(vr: string, key: string): [from: string, to: string] | null {
  const found = /^([^-]*(?:-\d{4}(?=-))?)-(.*)$/.exec(key.trim())
  if (found === null) return null
  const [, from = '', to = ''] = found
  // A hyphen in a date time may also begin its zone ("20240101120000-0500"), and there is no year 500.
  if (vr === 'DT' && /^(?:0\d|1[0-4])\d\d$/.test(to)) return null
  return from === '' && to === '' ? null : [from, to]
}

/** Wildcards `*` and `?`, in time linear in text × pattern whatever they are. */
export function glob(text: string, pattern: string): boolean {
  let at = 0
  let wanted = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    const next = pattern[wanted]
    if (next === '*') {
      star = wanted
      resume = at
      wanted += 1
    } else if (next !== undefined && (next === '?' || next === text[at])) {
      at += 1
      wanted += 1
    } else if (star >= 0) {
      wanted = star + 1
      resume += 1
      at = resume
    } else {
      return false
    }
  }
  while (pattern[wanted] === '*') wanted += 1
  return wanted === pattern.length
}
