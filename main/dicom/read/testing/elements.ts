/** Elements byte by byte, for files that no writer would make. Tests only. */

export interface Encoding {
  explicit: boolean
  bigEndian: boolean
}

export const EXPLICIT: Encoding = { explicit: true, bigEndian: false }
export const IMPLICIT: Encoding = { explicit: false, bigEndian: false }
export const BIG_ENDIAN: Encoding = { explicit: true, bigEndian: true }

const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'])

export function u16(value: number, bigEndian = false): Buffer {
  const bytes = Buffer.alloc(2)
  if (bigEndian) bytes.writeUInt16BE(value)
  else bytes.writeUInt16LE(value)
  return bytes
}

export function u32(value: number, bigEndian = false): Buffer {
  const bytes = Buffer.alloc(4)
  if (bigEndian) bytes.writeUInt32BE(value)
  else bytes.writeUInt32LE(value)
  return bytes
}

/** One element; `declared` is written as its length when it is not the value's own. */
export function el(
  tag: number,
  vr: string,
  value: Buffer | string,
  how: Encoding = EXPLICIT,
  declared?: number,
): Buffer {
  const { bigEndian } = how
  let bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  if (typeof value === 'string' && bytes.length % 2 === 1)
    bytes = Buffer.concat([bytes, Buffer.from(vr === 'UI' ? '\0' : ' ')])
  const length = declared ?? bytes.length
  const head = [u16(tag >>> 16, bigEndian), u16(tag & 0xffff, bigEndian)]
  if (!how.explicit) head.push(u32(length, bigEndian))
  else if (LONG.has(vr)) head.push(Buffer.from(vr), u16(0), u32(length, bigEndian))
  else head.push(Buffer.from(vr), u16(length, bigEndian))
  return Buffer.concat([...head, bytes])
}

/** An item, sequence delimiter or item delimiter of group FFFE. */
export function item(element: number, value: Buffer, how: Encoding = EXPLICIT, declared?: number): Buffer {
  return Buffer.concat([
    u16(0xfffe, how.bigEndian),
    u16(element, how.bigEndian),
    u32(declared ?? value.length, how.bigEndian),
    value,
  ])
}

export const ITEM = 0xe000
export const ITEM_END = 0xe00d
export const SEQUENCE_END = 0xe0dd
export const UNDEFINED = 0xffffffff

export const UIDS = {
  sopClass: '1.2.840.10008.5.1.4.1.1.7',
  sop: '1.2.3.1',
  study: '1.2.3.2',
  series: '1.2.3.3',
} as const

/** What every instance must have, with `before` group 0020 (such as group 0010) between. */
export function identity(how: Encoding = EXPLICIT, between: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([
    el(0x00080016, 'UI', UIDS.sopClass, how),
    el(0x00080018, 'UI', UIDS.sop, how),
    between,
    el(0x0020000d, 'UI', UIDS.study, how),
    el(0x0020000e, 'UI', UIDS.series, how),
  ])
}

/** Group 0028 of a monochrome image. */
export function image(
  rows: number,
  columns: number,
  frames: number,
  bits: 1 | 8 | 16,
  how: Encoding = EXPLICIT,
): Buffer {
  const short = (tag: number, value: number): Buffer => el(tag, 'US', u16(value, how.bigEndian), how)
  return Buffer.concat([
    short(0x00280002, 1),
    el(0x00280004, 'CS', 'MONOCHROME2', how),
    el(0x00280008, 'IS', String(frames), how),
    short(0x00280010, rows),
    short(0x00280011, columns),
    short(0x00280100, bits),
    short(0x00280101, bits),
    short(0x00280102, bits - 1),
    short(0x00280103, 0),
  ])
}

/** Preamble, prefix and file meta information for a transfer syntax, then the data set. */
export function part10(transferSyntaxUID: string, dataset: Buffer): Buffer {
  const meta = el(0x00020010, 'UI', transferSyntaxUID)
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), el(0x00020000, 'UL', u32(meta.length)), meta, dataset])
}

/** A native image file in explicit little endian. */
export function nativeFile(rows: number, columns: number, frames: number, bits: 1 | 8 | 16, pixels: Buffer): Buffer {
  return part10(
    '1.2.840.10008.1.2.1',
    Buffer.concat([identity(), image(rows, columns, frames, bits), el(0x7fe00010, 'OW', pixels)]),
  )
}

/** A compressed image file: offset table and fragments as given. */
export function compressedFile(
  transferSyntaxUID: string,
  frames: number,
  table: Buffer,
  fragments: readonly Buffer[],
  options: { before?: Buffer; delimiter?: boolean } = {},
): Buffer {
  return part10(
    transferSyntaxUID,
    Buffer.concat([
      identity(),
      image(2, 2, frames, 8),
      options.before ?? Buffer.alloc(0),
      el(0x7fe00010, 'OB', Buffer.alloc(0), EXPLICIT, UNDEFINED),
      item(ITEM, table),
      ...fragments.map((fragment) => item(ITEM, fragment)),
      ...(options.delimiter === false ? [] : [item(SEQUENCE_END, Buffer.alloc(0))]),
    ]),
  )
}
