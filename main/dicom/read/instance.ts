import { inflateRawSync } from 'node:zlib'
import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import type { InstanceHead, InstancePart } from '../types.ts'
import { HeaderReader, readMeta, type Header, type Meta } from './header.ts'
import { pushParts, walkPixels, type PixelLayout } from './pixels.ts'
import { Scanner } from './scanner.ts'

/** Bytes behind the pixel data that are looked at for elements; what lies further is kept but not read. */
export const TRAILER_SCAN_BYTES = 4 * 1024 * 1024

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * One DICOM file that lies in memory. The parts are views of `bytes`, nothing is copied.
 * @throws AlcoveError file/empty, dicom/not-dicom, dicom/dicomdir, dicom/missing-attribute, dicom/truncated,
 *   dicom/corrupt, dicom/too-large
 */
export function readInstanceBytes(bytes: Uint8Array): { head: InstanceHead; parts: InstancePart[] } {
  const file = asBuffer(bytes)
  const meta = readMeta(file, true)
  const parts: InstancePart[] = []
  if (meta.deflated) {
    const { header } = readWhole(inflateFile(file, meta), meta)
    pushParts(parts, file, 'whole', null, 0, file.length)
    return { head: header.head, parts }
  }
  const { header } = readWhole(file, meta, parts)
  return { head: header.head, parts }
}

/** Header, pixel walk and trailer of a file in memory (inflated already); collects parts when asked to. */
function readWhole(file: Buffer, meta: Meta, parts: InstancePart[] = []): { header: Header } {
  const header = new HeaderReader(file, meta, true).read(() => file)
  pushParts(parts, file, 'header', null, 0, header.valueOffset)
  const end = walkWhole(file, header, parts)
  pushParts(parts, file, 'trailer', null, end, file.length)
  readTrailer(file.subarray(end, end + TRAILER_SCAN_BYTES), end, header)
  return { header }
}

/** Elements behind the pixel data join the head's data set. */
export function readTrailer(bytes: Buffer, base: number, header: Header): void {
  if (bytes.length < 8) return
  const scanner = new Scanner(bytes, 0, header.encoding, { complete: true, base })
  scanner.readTrailer()
  for (const [tag, element] of Object.entries(scanner.dataset)) header.head.dataset[tag] ??= element
}

function walkWhole(file: Buffer, header: Header, parts: InstancePart[]): number {
  const { layout } = header
  let at = header.valueOffset
  if (layout.frames === 0 && !layout.encapsulated) return at
  const walk = walkPixels(layout, layout.encapsulated ? countFragments(file, at, layout) : null)
  let step = walk.next()
  while (step.done !== true) {
    const { value } = step
    if (value.op === 'peek') {
      step = walk.next(file.subarray(at, at + value.length))
      continue
    }
    if (at + value.length > file.length) throw endsInFrame(value.frame, layout)
    pushParts(parts, file, value.kind, value.frame, at, at + value.length)
    at += value.length
    step = walk.next(file)
  }
  return at
}

export function endsInFrame(frame: number | null, layout: PixelLayout): AlcoveError {
  const where = frame === null ? 'the pixel data' : `frame ${frame} of ${layout.frames}`
  return new AlcoveError('dicom/truncated', `The file ends inside ${where}.`)
}

/** Fragments behind the offset table, as far as they are there. */
function countFragments(file: Buffer, valueOffset: number, layout: PixelLayout): number {
  const le = layout.littleEndian
  let at = valueOffset
  let count = -1
  while (at + 8 <= file.length) {
    const element = le ? file.readUInt16LE(at + 2) : file.readUInt16BE(at + 2)
    if (element !== 0xe000) break
    at += 8 + (le ? file.readUInt32LE(at + 4) : file.readUInt32BE(at + 4))
    count += 1
  }
  return Math.max(count, 0)
}

/**
 * The file with its data set inflated: preamble and file meta information as stored, then the data set. Offsets of
 * "bulk:…" references of deflated objects count in these bytes.
 * @throws AlcoveError dicom/too-large, dicom/corrupt
 */
function inflateFile(file: Buffer, meta: Meta): Buffer {
  let dataset: Buffer
  try {
    dataset = inflateRawSync(file.subarray(meta.offset), { maxOutputLength: LIMITS.dicomInflatedBytes })
  } catch (error) {
    throw inflateError(error)
  }
  return Buffer.concat([file.subarray(0, meta.offset), dataset])
}

export function inflateError(error: unknown): AlcoveError {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'ERR_BUFFER_TOO_LARGE')
    return new AlcoveError(
      'dicom/too-large',
      `The deflated data set holds more than ${LIMITS.dicomInflatedBytes} bytes.`,
    )
  if (code === 'Z_BUF_ERROR')
    return new AlcoveError('dicom/truncated', 'The file ends inside its deflated data set.', { cause: error })
  return new AlcoveError('dicom/corrupt', 'The deflated data set cannot be inflated.', { cause: error })
}

/** The (inflated) bytes of a file stored as `whole` parts, joined: what "bulk:…" references count in. */
export function inflateInstance(bytes: Uint8Array): Uint8Array {
  const file = asBuffer(bytes)
  const meta = readMeta(file, true)
  return meta.deflated ? inflateFile(file, meta) : file
}

/**
 * Bytes of the 1-based frame of a file stored as `whole` parts, joined: a view of the inflated data. Their encoding is
 * Explicit VR Little Endian's.
 * @throws AlcoveError not-found, dicom/no-pixels
 */
export function frameFromWhole(bytes: Uint8Array, frame: number): Uint8Array {
  const file = asBuffer(bytes)
  const meta = readMeta(file, true)
  const parts: InstancePart[] = []
  const { header } = readWhole(meta.deflated ? inflateFile(file, meta) : file, meta, parts)
  if (header.head.frames === 0) throw new AlcoveError('dicom/no-pixels', 'This object has no pixel data.')
  const wanted = header.head.packedBits === undefined ? frame : 1
  const pieces = parts.filter((part) => part.kind === 'frame' && part.frame === wanted).map((part) => part.bytes)
  if (pieces.length === 0) throw new AlcoveError('not-found', `There is no frame ${frame} in this object.`)
  const [only] = pieces
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
}
