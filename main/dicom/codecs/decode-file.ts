import { AlcoveError } from '#common/errors.ts'
import { readInstanceBytes, frameFromWhole } from '../read/instance.ts'
import { unpackFrame } from '../read/pixels.ts'
import type { DecodedFrame, InstanceHead, InstancePart } from '../types.ts'
import { decodeFrame } from './decode-frame.ts'
import { pixelFormat } from './pixel-format.ts'

/**
 * The 1-based frame of a file that was read into parts, in its transfer syntax: fragments joined, deflated data sets
 * inflated, 1-bit frames that share bytes with their neighbours moved to begin at bit 0.
 * @throws AlcoveError not-found, dicom/no-pixels
 */
export function frameBytes(head: InstanceHead, parts: readonly InstancePart[], frame: number): Uint8Array {
  if (head.frames === 0) throw new AlcoveError('dicom/no-pixels', 'This object has no pixel data.')
  const wanted = head.packedBits === undefined ? frame : 1
  const whole = parts.filter((part) => part.kind === 'whole').map((part) => part.bytes)
  const pieces = parts.filter((part) => part.kind === 'frame' && part.frame === wanted).map((part) => part.bytes)
  if (whole.length === 0 && pieces.length === 0)
    throw new AlcoveError('not-found', `There is no frame ${frame} in this object.`)
  const bytes = whole.length > 0 ? frameFromWhole(Buffer.concat(whole), frame) : joined(pieces)
  return head.packedBits === undefined ? bytes : unpackFrame(bytes, head.packedBits, frame)
}

function joined(pieces: Uint8Array[]): Uint8Array {
  const [only] = pieces
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
}

/**
 * Decodes the 1-based frame of a DICOM file that lies in memory.
 * @throws AlcoveError as readInstanceBytes, frameBytes and decodeFrame do
 */
export async function decodeNthFrame(file: Uint8Array, frame: number): Promise<DecodedFrame> {
  const { head, parts } = readInstanceBytes(file)
  return decodeFrame(frameBytes(head, parts, frame), pixelFormat(head.dataset, head.transferSyntaxUID))
}
