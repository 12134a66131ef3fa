import { entryOfKeyword } from '#common/dicom/dictionary.ts'
import type { DicomJsonDataset, DicomJsonElement, DicomJsonValue } from '#common/dicom/json.ts'

type KeywordValue = string | number | null | undefined | Uint8Array | readonly (string | number)[] | readonly Keywords[]

/** A data set written by keyword (PS3.6): `undefined` leaves an element out, `null` writes it empty. */
export interface Keywords {
  readonly [keyword: string]: KeywordValue
}

/** How ambiguous dictionary entries are written: unsigned, and words. */
const SETTLED: Readonly<Record<string, string>> = { xs: 'US', ox: 'OW', lt: 'US' }

/**
 * DICOM JSON from keywords.
 * @throws Error for a keyword that PS3.6 does not have: a mistake of the caller's
 */
export function fromKeywords(keywords: Keywords): DicomJsonDataset {
  const dataset: DicomJsonDataset = {}
  for (const [keyword, value] of Object.entries(keywords)) {
    if (value === undefined) continue
    const entry = entryOfKeyword(keyword)
    if (entry === null) throw new Error(`PS3.6 has no element ${keyword}.`)
    dataset[entry.tag] = element(SETTLED[entry.vr] ?? entry.vr, value)
  }
  return dataset
}

function element(vr: string, value: Exclude<KeywordValue, undefined>): DicomJsonElement {
  if (value === null) return { vr }
  if (value instanceof Uint8Array) return { vr, InlineBinary: Buffer.from(value).toString('base64') }
  if (vr === 'SQ') {
    const items = value as readonly Keywords[]
    return items.length === 0 ? { vr } : { vr, Value: items.map(fromKeywords) }
  }
  const list = (Array.isArray(value) ? value : [value]) as readonly (string | number)[]
  const values: DicomJsonValue[] = vr === 'PN' ? list.map((name) => ({ Alphabetic: String(name) })) : [...list]
  return { vr, Value: values }
}

/** A coded concept (PS3.3 section 8): [code value, coding scheme, meaning]. */
export function code(concept: readonly [value: string, scheme: string, meaning: string]): Keywords {
  return { CodeValue: concept[0], CodingSchemeDesignator: concept[1], CodeMeaning: concept[2] }
}

/** Copies the named elements of `from`, as they are; absent ones stay absent, or empty when listed in `emptyIfAbsent`. */
export function copyElements(
  from: DicomJsonDataset,
  tags: readonly string[],
  emptyIfAbsent: Readonly<Record<string, string>> = {},
): DicomJsonDataset {
  const copy: DicomJsonDataset = {}
  for (const tag of tags) {
    const found = from[tag]
    if (found !== undefined && found.BulkDataURI === undefined) copy[tag] = found
  }
  for (const [tag, vr] of Object.entries(emptyIfAbsent)) copy[tag] ??= { vr }
  return copy
}
