import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import { dictionaryEntry, privateVr } from '#common/dicom/dictionary.ts'
import type { DicomJsonDataset, DicomJsonElement } from '#common/dicom/json.ts'
import { DEFAULT_TEXT_READER, textReader, type TextReader } from './charset.ts'
import { bulkDataUri, readValue, tagKey, type ValueContext } from './values.ts'
import { SQ, UN, vrOfCode, vrOfName, type Vr } from './vr.ts'

/** Thrown when the bytes at hand end inside an element and more may come; the caller fetches up to `total` and retries. */
export class NeedMoreBytes extends Error {
  readonly total: number
  constructor(total: number) {
    super('more bytes needed')
    this.total = total
  }
}

/** The structure of one element makes no sense. A sequence of known length that is malformed is kept as UN. */
class Malformed extends Error {}

export const UNDEFINED_LENGTH = 0xffffffff
const ITEM = 0xfffee000
const ITEM_END = 0xfffee00d
const SEQUENCE_END = 0xfffee0dd
const SPECIFIC_CHARACTER_SET = 0x00080005
const PIXEL_REPRESENTATION = 0x00280103
const TRAILING_PADDING = 0xfffcfffc
const VARIABLE_PIXEL_GROUP = 0x7fe0

/** How the elements of one data set (the root or an item) are encoded. */
export interface Encoding {
  littleEndian: boolean
  explicitVR: boolean
}

interface Scope extends Encoding {
  text: TextReader
  depth: number
  /** Position after which nothing of this data set may lie; Infinity when only a delimiter ends it. */
  limit: number
  signed: boolean
}

export type Stop =
  | { kind: 'end' }
  /** The next element is pixel data or lies after where it would be; not consumed. */
  | { kind: 'pixels'; tag: number; vr: string; headerBytes: number; length: number }

/**
 * Reads elements of a data set into DICOM JSON, one top-level element at a time so that a stream can pause between
 * two of them. Offsets are into `bytes`, which may grow by `extend`.
 */
export class Scanner {
  readonly dataset: DicomJsonDataset = {}
  offset: number
  private bytes: Buffer
  private end: number
  private complete: boolean
  private elements = 0
  private readonly scope: Scope
  private readonly values: ValueContext

  // The header of the element last read: fields rather than an object per element.
  private tag = 0
  private vr: Vr = UN
  private length = 0
  private valueOffset = 0

  constructor(bytes: Buffer, offset: number, encoding: Encoding, options: { complete: boolean; base?: number }) {
    this.bytes = bytes
    this.end = bytes.length
    this.complete = options.complete
    this.offset = offset
    this.scope = { ...encoding, text: DEFAULT_TEXT_READER, depth: 0, limit: Infinity, signed: false }
    this.values = {
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      base: options.base ?? 0,
      littleEndian: encoding.littleEndian,
      text: DEFAULT_TEXT_READER,
      budget: { values: 0 },
    }
  }

  /** More of the same file: `bytes` begins where the earlier ones began. */
  extend(bytes: Buffer, complete: boolean): void {
    this.bytes = bytes
    this.end = bytes.length
    this.complete = complete
    this.values.bytes = bytes
    this.values.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /**
   * Reads top-level elements until pixel data, `stopAtGroupAbove`, or the end of the file.
   * @throws NeedMoreBytes (offset stands at the element to retry), AlcoveError dicom/truncated, dicom/corrupt, dicom/too-large
   */
  readUntilPixels(): Stop {
    for (;;) {
      if (this.atEnd()) return { kind: 'end' }
      this.readHeader(this.offset, this.scope)
      const group = this.tag >>> 16
      if (group >= VARIABLE_PIXEL_GROUP && group !== 0xfffe && group !== 0xfffc) {
        if (group > VARIABLE_PIXEL_GROUP || isPixelData(this.tag))
          return {
            kind: 'pixels',
            tag: this.tag,
            vr: this.vr.name,
            headerBytes: this.valueOffset - this.offset,
            length: this.length,
          }
      }
      this.readTopLevel()
    }
  }

  /** Reads what follows the pixel data, as far as it makes sense: what is left there is often dirt. */
  readTrailer(): void {
    try {
      while (!this.atEnd()) {
        this.readHeader(this.offset, this.scope)
        this.readTopLevel()
      }
    } catch (error) {
      if (error instanceof NeedMoreBytes) return
      if (error instanceof AlcoveError && (error.code === 'dicom/truncated' || error.code === 'dicom/corrupt')) return
      throw error
    }
  }

  /** Elements of group 0002, always explicit VR little endian. Stops before the first element of another group. */
  readFileMeta(): void {
    let declaredEnd = Infinity
    for (;;) {
      if (this.offset >= declaredEnd || this.atEnd()) return
      this.readHeader(this.offset, this.scope)
      if (this.tag >>> 16 !== 0x0002) return
      if (this.tag === 0x00020000 && this.length === 4) {
        this.need(this.valueOffset + 4)
        const after = this.valueOffset + 4
        const end = after + this.values.view.getUint32(this.valueOffset, true)
        this.offset = after
        // A wrong group length is common: it is believed only where a group 0002 element does not stand after it.
        this.need(end + 2)
        if (end + 2 <= this.end && this.values.view.getUint16(end, true) !== 0x0002) declaredEnd = end
        continue
      }
      this.readTopLevel()
    }
  }

  private atEnd(): boolean {
    const left = this.end - this.offset
    if (left >= 8) return false
    if (!this.complete) throw new NeedMoreBytes(this.offset + 8)
    if (left > 0 && this.bytes.subarray(this.offset).some((byte) => byte !== 0)) this.truncated()
    return true
  }

  private readTopLevel(): void {
    const { tag } = this
    if (tag === ITEM_END || tag === SEQUENCE_END) {
      this.offset = this.valueOffset
      return
    }
    if (tag === 0 && this.length === 0) {
      // Zero padding up to the end of a sector.
      this.need(this.valueOffset)
      this.offset = this.valueOffset
      return
    }
    try {
      this.offset = this.readElement(this.scope, this.dataset)
    } catch (error) {
      if (error instanceof Malformed)
        throw new AlcoveError(
          'dicom/corrupt',
          `The element at byte ${this.values.base + this.offset} makes no sense: ${error.message}`,
        )
      throw error
    }
  }

  /** Makes sure that bytes up to `position` are there. */
  private need(position: number): void {
    if (position <= this.end) return
    if (!this.complete) throw new NeedMoreBytes(position)
    this.truncated()
  }

  private truncated(): never {
    throw new AlcoveError(
      'dicom/truncated',
      `The file ends inside the element that begins at byte ${this.values.base + this.offset}.`,
    )
  }

  private readHeader(offset: number, scope: Scope): void {
    this.need(offset + 8)
    const { view } = this.values
    const le = scope.littleEndian
    const group = view.getUint16(offset, le)
    this.tag = group * 0x10000 + view.getUint16(offset + 2, le)
    if (group === 0xfffe) {
      this.vr = UN
      this.length = view.getUint32(offset + 4, le)
      this.valueOffset = offset + 8
      return
    }
    const code = view.getUint16(offset + 4, false)
    if (scope.explicitVR) {
      const vr = vrOfCode(code)
      if (vr !== undefined) {
        this.readExplicit(offset, vr, vr.long, le)
        return
      }
      // No VR where one must stand: an element written implicitly among explicit ones, or a VR nobody knows.
      const length = view.getUint32(offset + 4, le)
      if (this.fits(offset + 8, length, scope)) {
        this.readImplicit(offset, length, scope)
        return
      }
      // PS3.5 section 6.2: unknown VRs have the long form; its reserved bytes are zero.
      this.readExplicit(offset, UN, view.getUint16(offset + 6, le) === 0, le)
      return
    }
    this.readImplicit(offset, view.getUint32(offset + 4, le), scope)
  }

  private fits(valueOffset: number, length: number, scope: Scope): boolean {
    if (length === UNDEFINED_LENGTH) return true
    const limit = Math.min(scope.limit, this.complete ? this.end : LIMITS.dicomHeaderBytes)
    return valueOffset + length <= limit
  }

  private readExplicit(offset: number, vr: Vr, long: boolean, le: boolean): void {
    const { view } = this.values
    this.vr = vr
    if (long) {
      this.need(offset + 12)
      this.length = view.getUint32(offset + 8, le)
      this.valueOffset = offset + 12
    } else {
      this.length = view.getUint16(offset + 6, le)
      this.valueOffset = offset + 8
    }
  }

  private readImplicit(offset: number, length: number, scope: Scope): void {
    this.vr = implicitVr(this.tag, length, scope.signed)
    this.length = length
    this.valueOffset = offset + 8
  }

  /** The element whose header was read last: into `target`, returns the offset behind it. */
  private readElement(scope: Scope, target: DicomJsonDataset): number {
    const { tag, length, valueOffset } = this
    let { vr } = this
    this.elements += 1
    if (this.elements > LIMITS.dicomElements)
      throw new AlcoveError('dicom/too-large', `The header holds more than ${LIMITS.dicomElements} elements.`)
    if (length === UNDEFINED_LENGTH) return this.readUndefinedLength(scope, target)
    const end = valueOffset + length
    if (end > scope.limit) throw new Malformed('it is longer than what holds it')
    this.need(end)
    if ((tag & 0xffff) === 0 || tag === TRAILING_PADDING) return end
    let inner = scope
    if (vr === UN) {
      const known = (tag & 0x10000) === 0 ? (dictionaryEntry(tag)?.vr ?? null) : privateVrIn(target, tag)
      if (known !== null) {
        vr = resolveVr(known, scope.signed)
        // UN where the VR is known: written by a system that did not know it, always implicit little endian inside.
        if (scope.explicitVR) inner = { ...scope, explicitVR: false, littleEndian: true }
      }
    }
    if (vr === SQ) {
      target[tagKey(tag)] = this.readSequenceOfLength(inner, valueOffset, end)
      return end
    }
    target[tagKey(tag)] = this.value(inner, vr, valueOffset, length)
    if (tag === SPECIFIC_CHARACTER_SET) this.applyCharacterSet(scope, target)
    else if (tag === PIXEL_REPRESENTATION && length === 2)
      scope.signed = this.values.view.getUint16(valueOffset, scope.littleEndian) === 1
    return end
  }

  private value(scope: Scope, vr: Vr, offset: number, length: number): DicomJsonElement {
    this.values.littleEndian = scope.littleEndian
    this.values.text = scope.text
    return readValue(this.values, vr, offset, length)
  }

  /** The JSON is Unicode, so its own Specific Character Set says so; the file keeps what it has. */
  private applyCharacterSet(scope: Scope, target: DicomJsonDataset): void {
    const key = tagKey(SPECIFIC_CHARACTER_SET)
    const terms = (target[key]?.Value ?? []).map((term) => (typeof term === 'string' ? term : ''))
    scope.text = terms.length === 0 ? DEFAULT_TEXT_READER : textReader(terms)
    target[key] = { vr: 'CS', Value: ['ISO_IR 192'] }
  }

  private readUndefinedLength(scope: Scope, target: DicomJsonDataset): number {
    const { tag, vr, valueOffset } = this
    if (vr === SQ || vr === UN) {
      // UN of undefined length is a sequence in implicit VR little endian (PS3.5 section 6.2.2).
      const inner = vr === UN && scope.explicitVR ? { ...scope, explicitVR: false, littleEndian: true } : scope
      const items: DicomJsonDataset[] = []
      const end = this.readItems(inner, valueOffset, Infinity, items)
      target[tagKey(tag)] = items.length === 0 ? { vr: 'SQ' } : { vr: 'SQ', Value: items }
      return end
    }
    if (vr.kind !== 'binary') throw new Malformed('a value of undefined length that is no sequence')
    // Encapsulated pixel data of an icon or the like.
    let offset = valueOffset
    for (;;) {
      this.readHeader(offset, scope)
      if (this.tag === SEQUENCE_END) {
        if (offset > valueOffset)
          target[tagKey(tag)] = {
            vr: vr.name,
            BulkDataURI: bulkDataUri(this.values.base + valueOffset, offset - valueOffset),
          }
        else target[tagKey(tag)] = { vr: vr.name }
        return this.valueOffset
      }
      if (this.tag !== ITEM || this.length === UNDEFINED_LENGTH) throw new Malformed('fragments were expected')
      offset = this.valueOffset + this.length
      this.need(offset)
    }
  }

  private readSequenceOfLength(scope: Scope, offset: number, end: number): DicomJsonElement {
    const items: DicomJsonDataset[] = []
    const before = this.elements
    try {
      this.readItems({ ...scope, limit: end }, offset, end, items)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.elements = before
      return this.value(scope, UN, offset, end - offset)
    }
    return items.length === 0 ? { vr: 'SQ' } : { vr: 'SQ', Value: items }
  }

  /** Items from `offset` to `end`, or to the sequence delimiter when `end` is Infinity. Returns the offset behind. */
  private readItems(scope: Scope, offset: number, end: number, items: DicomJsonDataset[]): number {
    if (scope.depth >= LIMITS.dicomSequenceDepth)
      throw new AlcoveError('dicom/corrupt', `Sequences are nested deeper than ${LIMITS.dicomSequenceDepth}.`)
    let at = offset
    while (at < end) {
      if (at + 8 > scope.limit) throw new Malformed('an item that does not fit')
      this.readHeader(at, scope)
      if (this.tag === SEQUENCE_END) {
        at = this.valueOffset
        if (end === Infinity) return at
        continue
      }
      if (this.tag === ITEM_END) {
        at = this.valueOffset
        continue
      }
      if (this.tag !== ITEM) throw new Malformed('a sequence without items')
      this.elements += 1
      const item: DicomJsonDataset = {}
      const limit = this.length === UNDEFINED_LENGTH ? Infinity : this.valueOffset + this.length
      if (limit !== Infinity) {
        if (limit > scope.limit) throw new Malformed('an item longer than its sequence')
        this.need(limit)
      }
      at = this.readItem(scope, this.valueOffset, limit, item)
      items.push(item)
    }
    return at
  }

  private readItem(outer: Scope, offset: number, limit: number, item: DicomJsonDataset): number {
    const scope: Scope = {
      littleEndian: outer.littleEndian,
      explicitVR: outer.explicitVR,
      text: outer.text,
      depth: outer.depth + 1,
      limit: limit === Infinity ? outer.limit : limit,
      signed: outer.signed,
    }
    const delimited = limit === Infinity
    let at = offset
    if (!scope.explicitVR && at + 8 <= scope.limit) scope.explicitVR = this.looksExplicit(at, scope)
    for (;;) {
      if (!delimited && at + 8 > limit) {
        if (at > limit) throw new Malformed('an item that runs over its end')
        return limit
      }
      if (at + 8 > scope.limit) throw new Malformed('an item without its end')
      this.readHeader(at, scope)
      if (this.tag === ITEM_END) {
        at = this.valueOffset
        if (delimited) return at
        continue
      }
      if (this.tag === SEQUENCE_END) {
        // The item's own delimiter is missing: the sequence's ends both.
        if (delimited) return at
        at = this.valueOffset
        continue
      }
      if (this.tag === ITEM) {
        if (delimited) return at
        throw new Malformed('an item inside an item')
      }
      at = this.readElement(scope, item)
    }
  }

  /** Items of UN sequences ought to be implicit, yet some devices write them explicitly. */
  private looksExplicit(offset: number, scope: Scope): boolean {
    this.need(offset + 8)
    const { view } = this.values
    const vr = vrOfCode(view.getUint16(offset + 4, false))
    if (vr === undefined || view.getUint16(offset, scope.littleEndian) === 0xfffe) return false
    const length = vr.long ? 0 : view.getUint16(offset + 6, scope.littleEndian)
    return (!vr.long || view.getUint16(offset + 6, true) === 0) && offset + 8 + length <= scope.limit
  }
}

/** VR of a private element by the creator that its data set names for its block; null when nobody knows. */
function privateVrIn(dataset: DicomJsonDataset, tag: number): string | null {
  const block = (tag >>> 8) & 0xff
  if (block < 0x10) {
    // The creator elements themselves.
    return block === 0 && (tag & 0xff) >= 0x10 ? 'LO' : null
  }
  const creator = dataset[tagKey(((tag >>> 16) & 0xffff) * 0x10000 + block)]?.Value?.[0]
  return typeof creator === 'string' ? privateVr(tag, creator.trim()) : null
}

/** Pixel Data, Float Pixel Data, Double Float Pixel Data. */
function isPixelData(tag: number): boolean {
  return tag === 0x7fe00010 || tag === 0x7fe00008 || tag === 0x7fe00009
}

function resolveVr(vr: string, signed: boolean): Vr {
  if (vr === 'xs') return vrOfName(signed ? 'SS' : 'US')
  if (vr === 'ox' || vr === 'lt') return vrOfName('OW')
  return vrOfName(vr)
}

function implicitVr(tag: number, length: number, signed: boolean): Vr {
  const element = tag & 0xffff
  if ((tag & 0x10000) !== 0) {
    // Private: only the creator's own element is known (PS3.5 section 7.8.1).
    if (element >= 0x10 && element <= 0xff) return vrOfName('LO')
    return length === UNDEFINED_LENGTH ? SQ : UN
  }
  const known = dictionaryEntry(tag)
  if (known === null) return length === UNDEFINED_LENGTH ? SQ : UN
  return resolveVr(known.vr, signed)
}
