import { AlcoveError } from '#common/errors.ts'
import { isUid, seriesInstanceUID, sopInstanceUID, studyInstanceUID } from '#common/ids.ts'
import { text, type DicomJsonDataset } from '#common/dicom/json.ts'
import { TRANSFER_SYNTAXES, type TransferSyntax } from '#common/dicom/transfer-syntax.ts'
import type { InstanceHead } from '../types.ts'
import { pixelLayout, type PixelElement, type PixelLayout } from './pixels.ts'
import { Scanner, NeedMoreBytes, type Encoding, type Stop } from './scanner.ts'
import { findStart, guessedTransferSyntax, guessEncoding, settleEncoding, START_BYTES } from './start.ts'
import { parseBulkDataUri } from './values.ts'

const MEDIA_STORAGE_DIRECTORY = '1.2.840.10008.1.3.10'

/** Everything known when the walk reaches the pixel data (or the end of a file without). */
export interface Header {
  head: InstanceHead
  layout: PixelLayout
  /** Offset of the pixel data's value, which is where the `header` parts end. */
  valueOffset: number
  encoding: Encoding
  /** Transfer syntax when it is one Alcove knows. */
  syntax: TransferSyntax | null
}

/** File meta information and where the data set behind it begins. */
export interface Meta {
  dataset: DicomJsonDataset
  offset: number
  transferSyntaxUID: string | null
  deflated: boolean
}

/**
 * Preamble and file meta information. Retry with more bytes on NeedMoreBytes.
 * @throws NeedMoreBytes, AlcoveError file/empty, dicom/not-dicom, dicom/dicomdir, dicom/truncated, dicom/corrupt
 */
export function readMeta(bytes: Buffer, complete: boolean): Meta {
  if (!complete && bytes.length < START_BYTES) throw new NeedMoreBytes(START_BYTES)
  const start = findStart(bytes)
  const scanner = new Scanner(bytes, start, { littleEndian: true, explicitVR: true }, { complete })
  if (start !== 0 || bytes.readUInt16LE(0) === 0x0002) scanner.readFileMeta()
  const { dataset } = scanner
  if (text(dataset, '00020002') === MEDIA_STORAGE_DIRECTORY) dicomdir()
  const transferSyntaxUID = text(dataset, '00020010')
  const deflated = transferSyntaxUID !== null && TRANSFER_SYNTAXES.get(transferSyntaxUID)?.deflated === true
  return { dataset, offset: scanner.offset, transferSyntaxUID, deflated }
}

function dicomdir(): never {
  throw new AlcoveError('dicom/dicomdir', 'This is a DICOMDIR, an index of files; import the folder it stands in.')
}

/** Declared encoding, put right by what the first element looks like. Needs 8 bytes at `meta.offset` unless complete. */
function encodingOf(bytes: Buffer, meta: Meta): Encoding {
  if (meta.transferSyntaxUID === null) {
    const guess = guessEncoding(bytes, meta.offset)
    if (guess === null)
      throw new AlcoveError('dicom/corrupt', 'The transfer syntax is missing and cannot be told from the data.')
    return guess
  }
  const syntax = TRANSFER_SYNTAXES.get(meta.transferSyntaxUID)
  // Private and future syntaxes are explicit little endian but for few; the first element tells those few.
  return settleEncoding(bytes, meta.offset, {
    littleEndian: syntax?.littleEndian ?? true,
    explicitVR: syntax?.explicitVR ?? true,
  })
}

/** Reads the data set up to the pixel data; pauses with NeedMoreBytes and goes on after `extend`. */
export class HeaderReader {
  private readonly meta: Meta
  private readonly encoding: Encoding
  readonly scanner: Scanner

  /** `bytes` are the (inflated) file from its first byte. @throws NeedMoreBytes, AlcoveError dicom/corrupt */
  constructor(bytes: Buffer, meta: Meta, complete: boolean) {
    if (!complete && bytes.length < meta.offset + 8) throw new NeedMoreBytes(meta.offset + 8)
    this.meta = meta
    this.encoding = encodingOf(bytes, meta)
    this.scanner = new Scanner(bytes, meta.offset, this.encoding, { complete })
  }

  extend(bytes: Buffer, complete: boolean): void {
    this.scanner.extend(bytes, complete)
  }

  /** @throws NeedMoreBytes, AlcoveError dicom/* */
  read(bytes: () => Buffer): Header {
    const stop = this.scanner.readUntilPixels()
    const { dataset } = this.scanner
    if ('00041220' in dataset && !('0020000D' in dataset)) dicomdir()
    const uids = identify(dataset)
    const transferSyntaxUID = this.meta.transferSyntaxUID ?? guessedTransferSyntax(this.encoding)
    const syntax = TRANSFER_SYNTAXES.get(transferSyntaxUID) ?? null
    const element = pixelElement(stop, this.encoding)
    if (element !== null && this.meta.transferSyntaxUID === null && element.length === 0xffffffff)
      throw new AlcoveError(
        'dicom/corrupt',
        'The pixel data are compressed, but nothing says how: the file meta information is missing.',
      )
    const layout = pixelLayout(dataset, element, syntax, extendedOffsets(dataset, bytes()))
    const head: InstanceHead = { ...uids, transferSyntaxUID, frames: layout.frames, dataset }
    if (layout.packedBits !== null) head.packedBits = layout.packedBits
    const valueOffset = this.scanner.offset + (element !== null && stop.kind === 'pixels' ? stop.headerBytes : 0)
    return { head, layout, valueOffset, encoding: this.encoding, syntax }
  }
}

function pixelElement(stop: Stop, encoding: Encoding): PixelElement | null {
  if (stop.kind === 'end' || stop.tag >>> 16 !== 0x7fe0) return null
  return { tag: stop.tag, length: stop.length, littleEndian: encoding.littleEndian }
}

const IDENTIFIERS = {
  '00080016': 'SOP Class UID (0008,0016)',
  '00080018': 'SOP Instance UID (0008,0018)',
  '0020000D': 'Study Instance UID (0020,000D)',
  '0020000E': 'Series Instance UID (0020,000E)',
} as const

function identifier(dataset: DicomJsonDataset, tag: keyof typeof IDENTIFIERS): string {
  const uid = text(dataset, tag)
  if (uid === null) throw new AlcoveError('dicom/missing-attribute', `${IDENTIFIERS[tag]} is missing.`)
  if (!isUid(uid))
    throw new AlcoveError('dicom/corrupt', `${IDENTIFIERS[tag]} is no UID (digits and dots, at most 64 characters).`)
  return uid
}

function identify(
  dataset: DicomJsonDataset,
): Pick<InstanceHead, 'studyInstanceUID' | 'seriesInstanceUID' | 'sopInstanceUID' | 'sopClassUID'> {
  return {
    sopClassUID: identifier(dataset, '00080016'),
    sopInstanceUID: sopInstanceUID(identifier(dataset, '00080018')),
    studyInstanceUID: studyInstanceUID(identifier(dataset, '0020000D')),
    seriesInstanceUID: seriesInstanceUID(identifier(dataset, '0020000E')),
  }
}

/** Extended Offset Table (7FE0,0001): 64-bit offsets of the frames' items, first item at 0. */
function extendedOffsets(dataset: DicomJsonDataset, file: Buffer): number[] | null {
  const element = dataset['7FE00001']
  if (element === undefined) return null
  let table: Buffer | null = null
  if (element.InlineBinary !== undefined) table = Buffer.from(element.InlineBinary, 'base64')
  else if (element.BulkDataURI !== undefined) {
    const place = parseBulkDataUri(element.BulkDataURI)
    if (place !== null) table = file.subarray(place.offset, place.offset + place.length)
  }
  if (table === null) return null
  const offsets: number[] = []
  for (let at = 0; at + 8 <= table.length; at += 8) offsets.push(Number(table.readBigUInt64LE(at)))
  return offsets
}
