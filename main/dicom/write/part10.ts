import { AlcoveError } from '#common/errors.ts'
import type { DicomJsonDataset, DicomJsonElement, DicomJsonValue } from '#common/dicom/json.ts'
import { text } from '#common/dicom/json.ts'
import { EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES } from '#common/dicom/transfer-syntax.ts'
import { isVrName, vrOfName, type Vr } from '../read/vr.ts'
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from './uid.ts'

type PixelsToWrite =
  /** Native pixel data in little endian. */
  | { vr: 'OB' | 'OW'; bytes: Uint8Array }
  /** One compressed frame each (PS3.5 annex A.4), each in one fragment, with a Basic Offset Table. */
  | { frames: readonly Uint8Array[] }

export interface WriteOptions {
  /** Explicit VR Little Endian when left out; must be explicit little endian and not deflated. */
  transferSyntaxUID?: string
  pixels?: PixelsToWrite
  /** Bytes of an element that stands as BulkDataURI, little endian. */
  bulk?: (uri: string) => Uint8Array
}

/**
 * A DICOM file (PS3.10) from DICOM JSON: explicit VR little endian, sequences of defined length, text in UTF-8 where
 * ASCII does not do. Group lengths and file meta elements in `dataset` are ignored.
 * @throws AlcoveError dicom/missing-attribute without SOP Class and Instance UID, dicom/unsupported-transfer-syntax,
 *   dicom/corrupt for a value that its VR cannot hold
 */
export function writePart10(dataset: DicomJsonDataset, options: WriteOptions = {}): Uint8Array {
  const transferSyntaxUID = options.transferSyntaxUID ?? EXPLICIT_VR_LITTLE_ENDIAN
  const syntax = TRANSFER_SYNTAXES.get(transferSyntaxUID)
  const fragments = options.pixels !== undefined && 'frames' in options.pixels
  if (
    syntax === undefined ||
    !syntax.explicitVR ||
    !syntax.littleEndian ||
    syntax.deflated ||
    (options.pixels !== undefined && syntax.encapsulated !== fragments)
  )
    throw new AlcoveError(
      'dicom/unsupported-transfer-syntax',
      `Files are not written in transfer syntax ${transferSyntaxUID}.`,
    )
  const sopClass = text(dataset, '00080016')
  const sopInstance = text(dataset, '00080018')
  if (sopClass === null || sopInstance === null)
    throw new AlcoveError('dicom/missing-attribute', 'SOP Class UID and SOP Instance UID are needed to write a file.')
  const meta = new Writer(options)
  meta.element('00020001', { vr: 'OB', InlineBinary: 'AAE=' })
  meta.element('00020002', { vr: 'UI', Value: [sopClass] })
  meta.element('00020003', { vr: 'UI', Value: [sopInstance] })
  meta.element('00020010', { vr: 'UI', Value: [transferSyntaxUID] })
  meta.element('00020012', { vr: 'UI', Value: [IMPLEMENTATION_CLASS_UID] })
  meta.element('00020013', { vr: 'SH', Value: [IMPLEMENTATION_VERSION_NAME] })
  const metaBytes = meta.done()
  const prefix = new Writer(options)
  prefix.raw(Buffer.alloc(128))
  prefix.raw(Buffer.from('DICM', 'latin1'))
  prefix.element('00020000', { vr: 'UL', Value: [metaBytes.length] })
  return Buffer.concat([prefix.done(), metaBytes, encodeDataset(dataset, options)])
}

/** The data set alone, explicit VR little endian. @throws AlcoveError dicom/corrupt */
function encodeDataset(dataset: DicomJsonDataset, options: WriteOptions = {}): Uint8Array {
  const writer = new Writer(options)
  writer.dataset(dataset, options.pixels)
  return writer.done()
}

const PIXEL_DATA = '7FE00010'
const CHARACTER_SET = '00080005'
const UTF8: DicomJsonElement = { vr: 'CS', Value: ['ISO_IR 192'] }

class Writer {
  private buffer = Buffer.allocUnsafe(16 * 1024)
  private length = 0
  private readonly options: WriteOptions
  private unicode = false

  constructor(options: WriteOptions) {
    this.options = options
  }

  done(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes))
    larger.set(this.done())
    this.buffer = larger
  }

  private u16(value: number): void {
    this.reserve(2)
    this.length = this.buffer.writeUInt16LE(value, this.length)
  }

  private u32(value: number): void {
    this.reserve(4)
    this.length = this.buffer.writeUInt32LE(value, this.length)
  }

  dataset(dataset: DicomJsonDataset, pixels?: PixelsToWrite): void {
    const start = this.length
    const tags = Object.keys(dataset).filter(
      (tag) => tag >= '00030000' && !tag.endsWith('0000') && (pixels === undefined || tag !== PIXEL_DATA),
    )
    if (pixels !== undefined) tags.push(PIXEL_DATA)
    tags.sort()
    const before = this.unicode
    for (const tag of tags) {
      if (tag === PIXEL_DATA && pixels !== undefined) this.pixelData(pixels)
      else {
        const element = dataset[tag]
        if (element !== undefined) this.element(tag, element)
      }
    }
    // Text beyond ASCII was written as UTF-8: the root has to say so.
    if (this.unicode && !before && start === 0 && dataset[CHARACTER_SET]?.Value?.[0] !== 'ISO_IR 192') {
      this.length = 0
      this.dataset({ ...dataset, [CHARACTER_SET]: UTF8 }, pixels)
    }
  }

  element(tag: string, element: DicomJsonElement): void {
    if (!/^[0-9A-F]{8}$/.test(tag) || !isVrName(element.vr))
      throw new AlcoveError('dicom/corrupt', `Element ${tag} has no valid tag or VR.`)
    const vr = vrOfName(element.vr)
    if (vr.kind === 'sequence') {
      this.header(tag, vr, 0)
      const start = this.length
      for (const item of element.Value ?? []) this.item(item)
      this.buffer.writeUInt32LE(this.length - start, start - 4)
      return
    }
    const bytes = this.value(tag, vr, element)
    const padded = bytes.length + (bytes.length % 2)
    // A value too long for a 16-bit length is written as UN, which has 32 bits (PS3.5 section 6.2.2).
    const written = !vr.long && padded > 0xffff ? vrOfName('UN') : vr
    this.header(tag, written, padded)
    this.raw(bytes)
    if (padded > bytes.length) this.raw(Buffer.from([vr.kind === 'binary' || vr.name === 'UI' ? 0 : 0x20]))
  }

  private header(tag: string, vr: Vr, length: number): void {
    this.u16(Number.parseInt(tag.slice(0, 4), 16))
    this.u16(Number.parseInt(tag.slice(4), 16))
    this.raw(Buffer.from(vr.name, 'latin1'))
    if (vr.long) {
      this.u16(0)
      this.u32(length)
    } else this.u16(length)
  }

  private item(item: DicomJsonValue): void {
    this.u16(0xfffe)
    this.u16(0xe000)
    this.u32(0)
    const start = this.length
    if (typeof item === 'object' && item !== null) this.dataset(item as DicomJsonDataset)
    this.buffer.writeUInt32LE(this.length - start, start - 4)
  }

  private pixelData(pixels: PixelsToWrite): void {
    if ('bytes' in pixels) {
      this.header(PIXEL_DATA, vrOfName(pixels.vr), pixels.bytes.length + (pixels.bytes.length % 2))
      this.raw(pixels.bytes)
      if (pixels.bytes.length % 2 === 1) this.raw(Buffer.alloc(1))
      return
    }
    this.header(PIXEL_DATA, vrOfName('OB'), 0xffffffff)
    const even = pixels.frames.map((frame) => frame.length + (frame.length % 2))
    this.itemHeader(0xe000, pixels.frames.length * 4)
    let offset = 0
    for (const length of even) {
      this.u32(offset)
      offset += 8 + length
    }
    pixels.frames.forEach((frame, index) => {
      this.itemHeader(0xe000, even[index] ?? 0)
      this.raw(frame)
      if (frame.length % 2 === 1) this.raw(Buffer.alloc(1))
    })
    this.itemHeader(0xe0dd, 0)
  }

  private itemHeader(element: number, length: number): void {
    this.u16(0xfffe)
    this.u16(element)
    this.u32(length)
  }

  private value(tag: string, vr: Vr, element: DicomJsonElement): Uint8Array {
    if (element.InlineBinary !== undefined) return Buffer.from(element.InlineBinary, 'base64')
    if (element.BulkDataURI !== undefined) {
      if (this.options.bulk === undefined)
        throw new AlcoveError('dicom/corrupt', `The bytes of element ${tag} are not at hand.`)
      return this.options.bulk(element.BulkDataURI)
    }
    const values = element.Value ?? []
    if (vr.kind === 'number') return numberBytes(tag, vr, values)
    if (vr.kind === 'tag') {
      const bytes = Buffer.alloc(values.length * 4)
      values.forEach((value, index) => {
        const pointed = Number.parseInt(typeof value === 'string' ? value : '0', 16)
        bytes.writeUInt16LE(pointed >>> 16, index * 4)
        bytes.writeUInt16LE(pointed & 0xffff, index * 4 + 2)
      })
      return bytes
    }
    const joined = values.map((value) => textOf(tag, vr, value)).join('\\')
    const bytes = Buffer.from(joined, 'utf8')
    if (bytes.length !== joined.length) this.unicode = true
    return bytes
  }
}

function numberBytes(tag: string, vr: Vr, values: readonly DicomJsonValue[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * vr.size)
  values.forEach((value, index) => {
    const at = index * vr.size
    try {
      if (vr.name === 'UV') bytes.writeBigUInt64LE(big(value), at)
      else if (vr.name === 'SV') bytes.writeBigInt64LE(big(value), at)
      else writeNumber(bytes, vr.name, Number(value), at)
    } catch (error) {
      throw new AlcoveError('dicom/corrupt', `A value of element ${tag} does not fit its VR ${vr.name}.`, {
        cause: error,
      })
    }
  })
  return bytes
}

/** 64-bit numbers beyond 2^53 stand as text in DICOM JSON. */
function big(value: DicomJsonValue): bigint {
  if (typeof value !== 'string' && typeof value !== 'number') throw new TypeError('no number')
  return BigInt(value)
}

function writeNumber(bytes: Buffer, vr: string, value: number, at: number): void {
  if (vr === 'US') bytes.writeUInt16LE(value, at)
  else if (vr === 'SS') bytes.writeInt16LE(value, at)
  else if (vr === 'UL') bytes.writeUInt32LE(value, at)
  else if (vr === 'SL') bytes.writeInt32LE(value, at)
  else if (vr === 'FL') bytes.writeFloatLE(value, at)
  else bytes.writeDoubleLE(value, at)
}

function textOf(tag: string, vr: Vr, value: DicomJsonValue): string {
  if (value === null) return ''
  if (typeof value === 'object') {
    if (vr.kind !== 'name') throw new AlcoveError('dicom/corrupt', `Element ${tag} holds an object where text belongs.`)
    const groups = [value['Alphabetic'], value['Ideographic'], value['Phonetic']].map((group) =>
      typeof group === 'string' ? group : '',
    )
    return groups.join('=').replace(/=+$/, '')
  }
  if (vr.kind === 'decimal' && typeof value === 'number') return decimalString(value)
  return String(value)
}

/** A number as DS: at most 16 characters (PS3.5 table 6.2-1), as exact as they allow. @throws AlcoveError dicom/corrupt */
export function decimalString(value: number): string {
  if (!Number.isFinite(value))
    throw new AlcoveError('dicom/corrupt', 'A decimal string cannot hold an infinite number.')
  const plain = String(value)
  if (plain.length <= 16) return plain
  for (let digits = 16; digits > 0; digits -= 1) {
    const rounded = Number(value.toPrecision(digits))
    const shorter = [String(rounded), rounded.toExponential()].find((written) => written.length <= 16)
    if (shorter !== undefined) return shorter
  }
  return '0'
}
