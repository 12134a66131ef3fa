import type { InstanceHead, InstancePart } from '../../types.ts'
import { unpackFrame } from '../index.ts'

/** Stored bytes of the 1-based frame of a file that was read in memory and is not deflated. */
export function frameBytes(head: InstanceHead, parts: readonly InstancePart[], frame: number): Uint8Array {
  const wanted = head.packedBits === undefined ? frame : 1
  const bytes = Buffer.concat(parts.filter((part) => part.frame === wanted).map((part) => part.bytes))
  return head.packedBits === undefined ? bytes : unpackFrame(bytes, head.packedBits, frame)
}
