/** DICOM JSON Model, PS3.18 annex F. Keys are eight upper-case hex digits, e.g. "0020000D". */
export interface DicomJsonElement {
  vr: string
  Value?: DicomJsonValue[]
  InlineBinary?: string
  BulkDataURI?: string
}

export interface PersonNameJson {
  Alphabetic?: string
  Ideographic?: string
  Phonetic?: string
}

export type DicomJsonValue = string | number | null | PersonNameJson | DicomJsonDataset

export interface DicomJsonDataset {
  [tag: string]: DicomJsonElement
}

/** First value of a text element, trimmed; null when absent or empty. Person names give their alphabetic group. */
export function text(dataset: DicomJsonDataset, tag: string): string | null {
  const value = dataset[tag]?.Value?.[0]
  if (value === undefined || value === null) return null
  if (typeof value === 'object') {
    const name = 'Alphabetic' in value && typeof value.Alphabetic === 'string' ? value.Alphabetic.trim() : ''
    return name === '' ? null : name
  }
  const trimmed = String(value).trim()
  return trimmed === '' ? null : trimmed
}

/** All values of a numeric element (numbers, or DS/IS text); null when absent or when any value is not a number. */
export function numbers(dataset: DicomJsonDataset, tag: string): number[] | null {
  const values = dataset[tag]?.Value
  if (values === undefined || values.length === 0) return null
  const parsed = values.map((value) => (value === null || typeof value === 'object' ? Number.NaN : Number(value)))
  return parsed.every((value) => Number.isFinite(value)) ? parsed : null
}

/** First value of a numeric element; null when absent or not a number. */
export function number(dataset: DicomJsonDataset, tag: string): number | null {
  const value = dataset[tag]?.Value?.[0]
  if (value === undefined || value === null || typeof value === 'object' || value === '') return null
  const parsed = Number(value)
  return Number.isFinite(parsed) ? parsed : null
}

/** Items of a sequence; empty when absent. */
export function items(dataset: DicomJsonDataset, tag: string): DicomJsonDataset[] {
  const values = dataset[tag]?.Value ?? []
  return values.filter((value): value is DicomJsonDataset => typeof value === 'object' && value !== null)
}
