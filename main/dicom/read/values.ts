import { LIMITS } from '#common/limits.ts'
import { AlcoveError } from '#common/errors.ts'
import type { DicomJsonElement, DicomJsonValue, PersonNameJson } from '#common/dicom/json.ts'
import type { TextReader } from './charset.ts'
import { UN, type Vr } from './vr.ts'

/** Binary values longer than this stand in the DICOM JSON as a reference into the file. */
const INLINE_BINARY_BYTES = 1024

export interface ValueContext {
  bytes: Buffer
  view: DataView
  /** Where `bytes` begins in the (inflated) file. */
  base: number
  littleEndian: boolean
  text: TextReader
  /** Values seen so far in this instance; bounded, for a few MiB of backslashes are millions of values. */
  budget: { values: number }
}

const tagText = new Map<number, string>()

/** The eight-digit key of DICOM JSON for a tag as an unsigned 32-bit number. */
export function tagKey(tag: number): string {
  let key = tagText.get(tag)
  if (key === undefined) {
    key = tag.toString(16).toUpperCase().padStart(8, '0')
    if (tagText.size < 65_536) tagText.set(tag, key)
  }
  return key
}

function spend(context: ValueContext, count: number): void {
  context.budget.values += count
  if (context.budget.values > LIMITS.dicomValues)
    throw new AlcoveError('dicom/too-large', `The header holds more than ${LIMITS.dicomValues} values.`)
}

const NON_ASCII = /[^\x00-\x7f]|\x1b/

/** Text of bytes [offset, end) without the padding at its end (spaces, or the NULs that some devices write). */
function readText(context: ValueContext, offset: number, length: number, charset: boolean): string {
  const { bytes } = context
  let end = offset + length
  while (end > offset && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0)) end -= 1
  if (end === offset) return ''
  const plain = bytes.toString('latin1', offset, end)
  if (!charset || !NON_ASCII.test(plain)) return plain
  return context.text.decode(bytes.subarray(offset, end)).replace(/[ \0]+$/, '')
}

function split(context: ValueContext, text: string): string[] {
  if (!text.includes('\\')) {
    spend(context, 1)
    return [text]
  }
  let count = 1
  for (let i = text.indexOf('\\'); i >= 0; i = text.indexOf('\\', i + 1)) count += 1
  spend(context, count)
  return text.split('\\')
}

function trimEnd(text: string): string {
  const last = text.charCodeAt(text.length - 1)
  return last === 0x20 || last === 0 ? text.replace(/[ \0]+$/, '') : text
}

/** Leading spaces mean nothing in these VRs either (PS3.5 table 6.2-1); NULs inside are dirt. */
function trimBoth(text: string): string {
  const end = trimEnd(text)
  return end.charCodeAt(0) === 0x20 ? end.trimStart() : end
}

function orNull(text: string): string | null {
  return text === '' ? null : text
}

const NUMERIC = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** DS and IS become numbers; what is not a number stays text, as PS3.18 table F.2.3-1 allows. */
function numeric(text: string): number | string | null {
  const trimmed = text.trim()
  if (trimmed === '') return null
  return NUMERIC.test(trimmed) ? Number(trimmed) : trimmed
}

const GROUPS = ['Alphabetic', 'Ideographic', 'Phonetic'] as const

function personName(text: string): PersonNameJson | null {
  if (!text.includes('=')) return text.trim() === '' ? null : { Alphabetic: trimEnd(text) }
  const name: PersonNameJson = {}
  text.split('=', 3).forEach((group, index) => {
    const key = GROUPS[index]
    const trimmed = trimEnd(group)
    if (key !== undefined && trimmed !== '') name[key] = trimmed
  })
  return Object.keys(name).length === 0 ? null : name
}

/** JSON has no NaN and no infinity; they stand as text. */
function floating(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

function big(value: bigint): number | string {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value.toString()
}

function readNumber(view: DataView, name: string, offset: number, le: boolean): number | string {
  switch (name) {
    case 'US':
      return view.getUint16(offset, le)
    case 'SS':
      return view.getInt16(offset, le)
    case 'UL':
      return view.getUint32(offset, le)
    case 'SL':
      return view.getInt32(offset, le)
    case 'FL':
      return floating(view.getFloat32(offset, le))
    case 'FD':
      return floating(view.getFloat64(offset, le))
    case 'UV':
      return big(view.getBigUint64(offset, le))
    default:
      return big(view.getBigInt64(offset, le))
  }
}

function numberValues(context: ValueContext, vr: Vr, offset: number, length: number): DicomJsonValue[] {
  const count = length / vr.size
  spend(context, count)
  const { view, littleEndian: le } = context
  if (count === 1) return [readNumber(view, vr.name, offset, le)]
  const values: DicomJsonValue[] = []
  for (let i = 0; i < count; i += 1) values.push(readNumber(view, vr.name, offset + i * vr.size, le))
  return values
}

function binary(context: ValueContext, vr: Vr, offset: number, length: number): DicomJsonElement {
  if (length > INLINE_BINARY_BYTES) return { vr: vr.name, BulkDataURI: bulkDataUri(context.base + offset, length) }
  const { bytes } = context
  if (context.littleEndian || vr.size === 1 || length % vr.size !== 0)
    return { vr: vr.name, InlineBinary: bytes.toString('base64', offset, offset + length) }
  const swapped = Buffer.from(bytes.subarray(offset, offset + length))
  if (vr.size === 2) swapped.swap16()
  else if (vr.size === 4) swapped.swap32()
  else swapped.swap64()
  return { vr: vr.name, InlineBinary: swapped.toString('base64', 0, length) }
}

/** Reference to bytes of the (inflated) file, in the file's own byte order. */
export function bulkDataUri(offset: number, length: number): string {
  return `bulk:${offset}:${length}`
}

/** Offset and length of a reference made by `bulkDataUri`; null when the text is something else. */
export function parseBulkDataUri(uri: string): { offset: number; length: number } | null {
  const match = /^bulk:(\d{1,15}):(\d{1,15})$/.exec(uri)
  return match === null ? null : { offset: Number(match[1]), length: Number(match[2]) }
}

/** One element other than a sequence, as DICOM JSON. `offset` and `length` lie within `context.bytes`. */
export function readValue(context: ValueContext, vr: Vr, offset: number, length: number): DicomJsonElement {
  if (length === 0) return { vr: vr.name }
  switch (vr.kind) {
    case 'plain': {
      const text = trimBoth(readText(context, offset, length, false))
      if (text === '') return { vr: vr.name }
      const values = split(context, text)
      return {
        vr: vr.name,
        Value: values.length === 1 ? values : values.map((value) => orNull(trimBoth(value))),
      }
    }
    case 'plain-single': {
      const text = readText(context, offset, length, false)
      return text === '' ? { vr: vr.name } : { vr: vr.name, Value: [text] }
    }
    case 'short-text': {
      const text = readText(context, offset, length, true)
      if (text === '') return { vr: vr.name }
      const values = split(context, text)
      return { vr: vr.name, Value: values.length === 1 ? values : values.map((value) => orNull(trimEnd(value))) }
    }
    case 'long-text': {
      const text = readText(context, offset, length, true)
      return text === '' ? { vr: vr.name } : { vr: vr.name, Value: [text] }
    }
    case 'name': {
      const text = readText(context, offset, length, true)
      if (text.trim() === '') return { vr: vr.name }
      return { vr: vr.name, Value: split(context, text).map(personName) }
    }
    case 'decimal':
    case 'integer': {
      const text = readText(context, offset, length, false)
      if (text.trim() === '') return { vr: vr.name }
      return { vr: vr.name, Value: split(context, text).map(numeric) }
    }
    case 'number':
      // A length that is no multiple of the number's size: the declared VR is wrong, the bytes are kept.
      if (length % vr.size !== 0) return binary(context, UN, offset, length)
      return { vr: vr.name, Value: numberValues(context, vr, offset, length) }
    case 'tag': {
      if (length % 4 !== 0) return binary(context, UN, offset, length)
      spend(context, length / 4)
      const values: string[] = []
      for (let i = offset; i < offset + length; i += 4)
        values.push(
          tagKey(
            context.view.getUint16(i, context.littleEndian) * 0x10000 +
              context.view.getUint16(i + 2, context.littleEndian),
          ),
        )
      return { vr: vr.name, Value: values }
    }
    default:
      return binary(context, vr, offset, length)
  }
}
