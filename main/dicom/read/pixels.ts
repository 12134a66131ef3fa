import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import { number, text, type DicomJsonDataset } from '#common/dicom/json.ts'
import type { TransferSyntax } from '#common/dicom/transfer-syntax.ts'
import type { InstancePart } from '../types.ts'
import { UNDEFINED_LENGTH } from './scanner.ts'

/**
 * What the walk over pixel data asks of whoever holds the bytes (a whole file, or a stream): to look at the next bytes
 * without consuming them, or to hand the next `length` bytes out as parts of one kind.
 */
export type PixelStep =
  { op: 'peek'; length: number } | { op: 'pass'; kind: 'frame' | 'glue'; frame: number | null; length: number }

export interface PixelLayout {
  /** Frames that `frame` parts carry numbers 1…frames for; 0 without pixel data. */
  frames: number
  /** Bytes of one native frame; null when unknown (all bytes are frame 1) or encapsulated. */
  frameBytes: number | null
  /** Set when native 1-bit frames do not begin at byte borders: then `frame: 1` holds the pixel data of all frames. */
  packedBits: number | null
  encapsulated: boolean
  /** Length as declared in the element's header. */
  length: number
  /** First byte of each frame after the Basic Offset Table, from the Extended Offset Table; null without one. */
  extendedOffsets: number[] | null
  littleEndian: boolean
  codec: TransferSyntax['codec'] | null
}

export interface PixelElement {
  tag: number
  length: number
  littleEndian: boolean
}

const BITS: Readonly<Record<number, number>> = { 0x7fe00008: 32, 0x7fe00009: 64 }

/** Native YBR with subsampled chroma: two samples a pixel instead of three (PS3.3 C.7.6.3.1.2). */
function samplesPerPixelStored(dataset: DicomJsonDataset, samples: number): number {
  const photometric = text(dataset, '00280004')
  return samples === 3 && (photometric === 'YBR_FULL_422' || photometric === 'YBR_PARTIAL_422') ? 2 : samples
}

/**
 * How the pixel data are divided into frames.
 * @throws AlcoveError dicom/too-large, dicom/truncated when a native element is too short for its rows × columns × frames
 */
export function pixelLayout(
  dataset: DicomJsonDataset,
  element: PixelElement | null,
  syntax: TransferSyntax | null,
  extendedOffsets: number[] | null,
): PixelLayout {
  const declared = number(dataset, '00280008')
  const stated = declared !== null && Number.isInteger(declared) && declared >= 1 ? declared : 1
  const layout: PixelLayout = {
    frames: 0,
    frameBytes: null,
    packedBits: null,
    encapsulated: false,
    length: element?.length ?? 0,
    extendedOffsets,
    littleEndian: element?.littleEndian ?? true,
    codec: syntax?.codec ?? null,
  }
  if (element === null || element.length === 0) return layout
  if (stated > LIMITS.dicomFramesPerInstance)
    throw new AlcoveError(
      'dicom/too-large',
      `Number of Frames is ${stated}; at most ${LIMITS.dicomFramesPerInstance} are read.`,
    )
  layout.frames = stated
  if (element.length === UNDEFINED_LENGTH) {
    layout.encapsulated = true
    // A video's frames are inside one bit stream (PS3.5 section 8.2.5): it is served as one.
    if (syntax?.codec === 'video') layout.frames = 1
    return layout
  }
  const rows = number(dataset, '00280010')
  const columns = number(dataset, '00280011')
  const allocated = BITS[element.tag] ?? number(dataset, '00280100')
  if (rows === null || columns === null || allocated === null || rows * columns * allocated === 0) {
    layout.frames = 1
    return layout
  }
  const samples = number(dataset, '00280002') ?? 1
  let frameBits = rows * columns * allocated * samplesPerPixelStored(dataset, samples)
  const fullBits = rows * columns * allocated * samples
  // Some writers say 4:2:2 and store all three samples.
  if (fullBits !== frameBits && element.length * 8 >= fullBits * stated) frameBits = fullBits
  const expected = Math.ceil((frameBits * stated) / 8)
  if (element.length < expected) {
    if (syntax?.encapsulated === true) {
      // Declared compressed, stored without fragments: what it is cannot be told from its length.
      layout.frames = 1
      return layout
    }
    throw new AlcoveError(
      'dicom/truncated',
      `The pixel data hold ${element.length} bytes; ${stated} frame(s) of ${rows} × ${columns} need ${expected}.`,
    )
  }
  if (frameBits % 8 === 0) layout.frameBytes = frameBits / 8
  else if (stated === 1) layout.frameBytes = Math.ceil(frameBits / 8)
  else layout.packedBits = frameBits
  return layout
}

/** Walks over the value of the pixel data element. @throws AlcoveError dicom/truncated, dicom/corrupt */
export function walkPixels(layout: PixelLayout, fragmentCount: number | null): Generator<PixelStep, void, Buffer> {
  return layout.encapsulated ? walkFragments(layout, fragmentCount) : walkNative(layout)
}

function* walkNative(layout: PixelLayout): Generator<PixelStep, void, Buffer> {
  if (layout.frameBytes === null) {
    yield { op: 'pass', kind: 'frame', frame: 1, length: layout.length }
    return
  }
  for (let frame = 1; frame <= layout.frames; frame += 1)
    yield { op: 'pass', kind: 'frame', frame, length: layout.frameBytes }
  const padding = layout.length - layout.frames * layout.frameBytes
  if (padding > 0) yield { op: 'pass', kind: 'glue', frame: null, length: padding }
}

const ITEM = 0xe000
const SEQUENCE_END = 0xe0dd
const PEEK_BYTES = 16

interface ItemHeader {
  element: number
  length: number
}

/** null when the bytes end cleanly before the item or what stands there is no item. */
function itemHeader(head: Buffer, littleEndian: boolean): ItemHeader | null {
  if (head.length < 8) return null
  const group = littleEndian ? head.readUInt16LE(0) : head.readUInt16BE(0)
  if (group !== 0xfffe) return null
  return littleEndian
    ? { element: head.readUInt16LE(2), length: head.readUInt32LE(4) }
    : { element: head.readUInt16BE(2), length: head.readUInt32BE(4) }
}

function* walkFragments(layout: PixelLayout, fragmentCount: number | null): Generator<PixelStep, void, Buffer> {
  const table = itemHeader(yield { op: 'peek', length: 8 }, layout.littleEndian)
  if (table === null || table.element !== ITEM)
    throw new AlcoveError('dicom/corrupt', 'The pixel data do not begin with an offset table.')
  if (table.length > 8 * LIMITS.dicomFramesPerInstance)
    throw new AlcoveError('dicom/too-large', 'The offset table of the pixel data is larger than any real one.')
  const tableBytes = yield { op: 'peek', length: 8 + table.length }
  yield { op: 'pass', kind: 'glue', frame: null, length: 8 + table.length }
  const assign = frameAssigner(layout, basicOffsets(tableBytes.subarray(8), layout.littleEndian), fragmentCount)
  let position = 0
  let last = 0
  for (;;) {
    const head = yield { op: 'peek', length: 8 + PEEK_BYTES }
    const item = itemHeader(head, layout.littleEndian)
    if (item === null || item.element === SEQUENCE_END) {
      if (last < layout.frames)
        throw new AlcoveError('dicom/truncated', `The pixel data end in frame ${last} of ${layout.frames}.`)
      if (item !== null) yield { op: 'pass', kind: 'glue', frame: null, length: 8 }
      return
    }
    if (item.element !== ITEM || item.length === UNDEFINED_LENGTH)
      throw new AlcoveError('dicom/corrupt', 'Something other than a fragment stands inside the pixel data.')
    yield { op: 'pass', kind: 'glue', frame: null, length: 8 }
    last = assign(position, head.subarray(8, 8 + Math.min(item.length, PEEK_BYTES)))
    if (item.length > 0) yield { op: 'pass', kind: 'frame', frame: last, length: item.length }
    position += 8 + item.length
  }
}

function basicOffsets(table: Buffer, littleEndian: boolean): number[] | null {
  if (table.length < 4) return null
  const offsets: number[] = []
  for (let i = 0; i + 4 <= table.length; i += 4)
    offsets.push(littleEndian ? table.readUInt32LE(i) : table.readUInt32BE(i))
  return offsets
}

/** A table is believed when it has one entry per frame, begins at 0 and grows. */
function believable(offsets: number[] | null, frames: number): number[] | null {
  if (offsets === null || offsets.length !== frames || offsets[0] !== 0) return null
  return offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] ?? 0)) ? offsets : null
}

/**
 * Which frame a fragment belongs to (PS3.5 annex A.4), asked once per fragment in order: `position` counts from the
 * first byte behind the Basic Offset Table, `start` are its first bytes.
 */
function frameAssigner(
  layout: PixelLayout,
  basic: number[] | null,
  fragmentCount: number | null,
): (position: number, start: Buffer) => number {
  const { frames } = layout
  if (frames === 1) return () => 1
  const offsets = believable(layout.extendedOffsets, frames) ?? believable(basic, frames)
  let frame = 0
  if (offsets !== null)
    return (position) => {
      while (frame < frames && position >= (offsets[frame] ?? Infinity)) frame += 1
      return frame
    }
  const next = (): number => {
    if (frame < frames) frame += 1
    return frame
  }
  if (fragmentCount === frames) return next
  let marked: boolean | null = null
  return (_position, start) => {
    const begins = beginsCodestream(start, layout.codec)
    // The first fragment tells whether this codec's frames have a mark to know them by; without, one fragment is one frame.
    marked ??= begins
    return !marked || begins || frame === 0 ? next() : frame
  }
}

/** True when the bytes are how a compressed frame begins. */
function beginsCodestream(start: Buffer, codec: TransferSyntax['codec'] | null): boolean {
  if (start.length < 4) return false
  const first = start.readUInt32BE(0)
  // JPEG, JPEG lossless, JPEG-LS: SOI and the next marker. Inside entropy-coded data FF is always followed by 00.
  if (first >>> 8 === 0xffd8ff) return true
  // JPEG 2000 and HTJ2K: SOC, SIZ; or the box of a JP2 file.
  if (first === 0xff4fff51) return true
  if (first === 0x0000000c && start.length >= 8) {
    const box = start.readUInt32BE(4)
    return box === 0x6a502020 || box === 0x4a584c20
  }
  if (codec === 'jpeg-xl') return first >>> 16 === 0xff0a
  // RLE: a header of 16 numbers, segment count first, then the first segment's offset, which is 64 (PS3.5 annex G.5).
  return codec === 'rle' && start.length >= 8 && start.readUInt32LE(0) <= 15 && start.readUInt32LE(4) === 64
}

/**
 * Frame `frame` (1-based) of native 1-bit pixel data whose frames do not begin at byte borders, shifted to begin at
 * bit 0 of its first byte (PS3.5 section 8.1.1: the first pixel is the least significant bit).
 * `bytes` are all parts of `frame: 1` joined, `bits` is InstanceHead.packedBits.
 */
export function unpackFrame(bytes: Uint8Array, bits: number, frame: number): Uint8Array {
  const first = (frame - 1) * bits
  if (frame < 1 || first + bits > bytes.length * 8)
    throw new AlcoveError('not-found', `There is no frame ${frame} in this object.`)
  const out = new Uint8Array(Math.ceil(bits / 8))
  const shift = first % 8
  const start = (first - shift) / 8
  for (let i = 0; i < out.length; i += 1) {
    const low = bytes[start + i] ?? 0
    const high = bytes[start + i + 1] ?? 0
    out[i] = shift === 0 ? low : ((low >>> shift) | (high << (8 - shift))) & 0xff
  }
  const rest = bits % 8
  if (rest !== 0) out[out.length - 1] = (out[out.length - 1] ?? 0) & ((1 << rest) - 1)
  return out
}

/** Slices of a very large frame: no part is larger. */
export const PART_BYTES = 16 * 1024 * 1024

/** Parts that lie in memory: `bytes` cut into parts of at most PART_BYTES, appended to `parts`, glue joined to glue. */
export function pushParts(
  parts: InstancePart[],
  file: Buffer,
  kind: InstancePart['kind'],
  frame: number | null,
  from: number,
  to: number,
): void {
  const previous = parts.at(-1)
  if (kind === 'glue' && previous?.kind === 'glue' && previous.bytes.length + to - from <= PART_BYTES) {
    previous.bytes = file.subarray(from - previous.bytes.length, to)
    return
  }
  for (let at = from; at < to; at += PART_BYTES)
    parts.push({ kind, frame, bytes: file.subarray(at, Math.min(at + PART_BYTES, to)) })
}
