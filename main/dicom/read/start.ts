import { dictionaryEntry } from '#common/dicom/dictionary.ts'
import { AlcoveError } from '#common/errors.ts'
import {
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '#common/dicom/transfer-syntax.ts'
import { UNDEFINED_LENGTH, type Encoding } from './scanner.ts'
import { vrOfCode } from './vr.ts'

/** Bytes needed before a file can be told to be DICOM: preamble, prefix and one element header. */
export const START_BYTES = 144
const PREAMBLE_BYTES = 128
const PREFIX = 'DICM'

/** Groups that the first element of a data set without file meta can be in; text, archives and pictures begin otherwise. */
const FIRST_GROUPS = new Set([0x0002, 0x0004, 0x0008, 0x0010, 0x0018, 0x0020, 0x0028])

/** A first element longer than this is not believed without the DICM prefix. */
const FIRST_LENGTH = 0x10000

/**
 * Where the elements begin: behind the preamble and prefix, or at byte 0 when a believable first element stands there.
 * @throws AlcoveError file/empty, dicom/not-dicom
 */
export function findStart(bytes: Buffer): number {
  if (bytes.length === 0) throw new AlcoveError('file/empty', 'The file is empty.')
  if (bytes.length >= PREAMBLE_BYTES + 4 && bytes.toString('latin1', PREAMBLE_BYTES, PREAMBLE_BYTES + 4) === PREFIX)
    return PREAMBLE_BYTES + 4
  if (bytes.length >= 4 && bytes.toString('latin1', 0, 4) === PREFIX && guessEncoding(bytes, 4) !== null) return 4
  if (guessEncoding(bytes, 0) !== null) return 0
  throw new AlcoveError(
    'dicom/not-dicom',
    'This is no DICOM file: neither the DICM prefix nor a first data element is there.',
  )
}

/** How a first element at `offset` could be encoded; null when nothing believable stands there. */
export function guessEncoding(bytes: Buffer, offset: number): Encoding | null {
  if (bytes.length < offset + 8) return null
  for (const littleEndian of [true, false]) {
    const group = littleEndian ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset)
    const element = littleEndian ? bytes.readUInt16LE(offset + 2) : bytes.readUInt16BE(offset + 2)
    if (!FIRST_GROUPS.has(group)) continue
    const known = element === 0 || dictionaryEntry(group * 0x10000 + element) !== null
    if (!known) continue
    const vr = vrOfCode(bytes.readUInt16BE(offset + 4))
    if (vr !== undefined) {
      const reserved = bytes.readUInt16BE(offset + 6)
      if (!vr.long || reserved === 0) return { littleEndian, explicitVR: true }
      continue
    }
    const length = littleEndian ? bytes.readUInt32LE(offset + 4) : bytes.readUInt32BE(offset + 4)
    if (length <= FIRST_LENGTH || length === UNDEFINED_LENGTH) return { littleEndian, explicitVR: false }
  }
  return null
}

/**
 * The encoding in which the data set at `offset` really is: as declared, unless its first element shows that the
 * declaration is wrong (implicit for explicit, or the other byte order), which real files do.
 */
export function settleEncoding(bytes: Buffer, offset: number, declared: Encoding): Encoding {
  if (bytes.length < offset + 8) return declared
  let { littleEndian } = declared
  const group = littleEndian ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset)
  // Public groups are small numbers: 0x0800 where 0x0008 is meant is the other byte order.
  if (group >= 0x0100 && (group & 0xff) < 0x02 && FIRST_GROUPS.has(group >>> 8)) littleEndian = !littleEndian
  const vr = vrOfCode(bytes.readUInt16BE(offset + 4))
  if (vr === undefined) {
    const length = littleEndian ? bytes.readUInt32LE(offset + 4) : bytes.readUInt32BE(offset + 4)
    return { littleEndian, explicitVR: declared.explicitVR && length > FIRST_LENGTH && length !== UNDEFINED_LENGTH }
  }
  return { littleEndian, explicitVR: true }
}

/** Transfer syntax of a data set without file meta information, from how its elements look. */
export function guessedTransferSyntax(encoding: Encoding): string {
  if (!encoding.littleEndian) return EXPLICIT_VR_BIG_ENDIAN
  return encoding.explicitVR ? EXPLICIT_VR_LITTLE_ENDIAN : IMPLICIT_VR_LITTLE_ENDIAN
}
