import { fromBase64 } from './base64.ts'
import { functionalGroup } from './geometry.ts'
import { type DicomJsonDataset, type DicomJsonElement, items, number, numbers, text } from './json.ts'

/** PS3.3 C.11.1.1.2: input below `first` gives the first value, above the last entry the last. */
export interface LookupTable {
  first: number
  values: ArrayLike<number>
  /** Bits of a value, as the descriptor says (8 to 16). */
  bits: number
}

/** Stored values to real ones (PS3.3 C.11.1). `unit` is the Rescale or Modality LUT Type, e.g. "HU"; null for none or "US", unspecified. */
export type ModalityTransform =
  | { kind: 'linear'; slope: number; intercept: number; unit: string | null }
  | { kind: 'table'; table: LookupTable; unit: string | null }

const PIXEL_VALUE_TRANSFORMATION = '00289145'

/**
 * The modality LUT of a frame (0-based): a Modality LUT Sequence, or rescale slope and intercept of the frame or of the
 * object, or identity.
 * @param signed whether stored values are signed: it decides how a table's first mapped value is read
 */
export function modalityTransform(dataset: DicomJsonDataset, frame = 0, signed = false): ModalityTransform {
  const sequence = items(dataset, '00283000')[0]
  const table = sequence === undefined ? null : lookupTable(sequence, signed)
  if (sequence !== undefined && table !== null) return { kind: 'table', table, unit: text(sequence, '00283004') }
  const group = functionalGroup(dataset, frame, PIXEL_VALUE_TRANSFORMATION)
  const slope = number(group, '00281053')
  return {
    kind: 'linear',
    // A slope of 0 would make every pixel the same: it is a slip for "no rescaling".
    slope: slope === null || slope === 0 ? 1 : slope,
    intercept: number(group, '00281052') ?? 0,
    unit: text(group, '00281054') === 'US' ? null : text(group, '00281054'),
  }
}

/**
 * LUT Descriptor and LUT Data of a sequence item. Null when absent, or when the data stand elsewhere (BulkDataURI) and
 * were not brought in.
 * @param signed whether the values looked up are signed
 */
export function lookupTable(
  item: DicomJsonDataset,
  signed: boolean,
  tags: { descriptor: string; data: string } = { descriptor: '00283002', data: '00283006' },
): LookupTable | null {
  const descriptor = numbers(item, tags.descriptor)
  const element = item[tags.data]
  if (descriptor === null || descriptor.length < 3 || element === undefined) return null
  const [count, first, bits] = descriptor as [number, number, number]
  const entries = count === 0 ? 65536 : count & 0xffff
  const values = lutValues(element, entries)
  if (values === null || values.length < entries) return null
  return {
    first: signed && first > 32767 ? first - 65536 : !signed && first < 0 ? first + 65536 : first,
    values,
    bits: bits >= 8 && bits <= 16 ? bits : 16,
  }
}

/** LUT Data: numbers (US, SS), or words or bytes (OW), little-endian. */
function lutValues(element: DicomJsonElement, entries: number): ArrayLike<number> | null {
  if (element.Value !== undefined) {
    const values = element.Value.map(Number)
    return values.every(Number.isFinite) ? Uint16Array.from(values) : null
  }
  if (element.InlineBinary === undefined) return null
  const bytes = fromBase64(element.InlineBinary)
  // 8-bit tables come one entry a byte, or one a word.
  if (bytes.length < entries * 2) return bytes
  return Uint16Array.from({ length: entries }, (_, index) => bytes[index * 2]! | (bytes[index * 2 + 1]! << 8))
}

export function lookUp(table: LookupTable, value: number): number {
  const { values, first } = table
  const index = Math.round(value) - first
  return values[index < 0 ? 0 : index >= values.length ? values.length - 1 : index]!
}

/** Real values of stored ones, as 32-bit floats. */
export function applyModality(stored: ArrayLike<number>, transform: ModalityTransform, out: Float32Array): void {
  if (transform.kind === 'table') {
    for (let k = 0; k < stored.length; k++) out[k] = lookUp(transform.table, stored[k]!)
    return
  }
  const { slope, intercept } = transform
  for (let k = 0; k < stored.length; k++) out[k] = stored[k]! * slope + intercept
}
