import { AlcoveError } from '../errors.ts'
import { type MaskHead, maskHeadSchema } from './segmentations.ts'

/**
 * The mask document of GET …/segmentations/{sop}/masks: a 4-byte little-endian length, that many bytes of JSON
 * (MaskHead), then one packed bit mask per entry of `head.frames`: rows × columns bits, row-major, least significant
 * bit first, each frame starting on a byte. Only frames with at least one voxel set are listed.
 */
export interface MaskDocument {
  head: MaskHead
  /** One mask per head.frames entry, `ceil(rows·columns/8)` bytes each. */
  masks: Uint8Array[]
}

export function maskBytes(head: { rows: number; columns: number }): number {
  return Math.ceil((head.rows * head.columns) / 8)
}

/** Head of the document as bytes: length and JSON. `utf8` encodes text (TextEncoder.encode). */
export function encodeMaskHead(head: MaskHead, utf8: (text: string) => Uint8Array): Uint8Array {
  const json = utf8(JSON.stringify(head))
  const bytes = new Uint8Array(4 + json.length)
  new DataView(bytes.buffer).setUint32(0, json.length, true)
  bytes.set(json, 4)
  return bytes
}

/** @throws AlcoveError request/invalid when the bytes are not a mask document. `utf8` decodes (TextDecoder.decode). */
export function decodeMasks(bytes: Uint8Array, utf8: (bytes: Uint8Array) => string): MaskDocument {
  const fail = (): never => {
    throw new AlcoveError('request/invalid', 'The mask document is cut short.')
  }
  if (bytes.length < 4) fail()
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
  if (bytes.length < 4 + length) fail()
  const head = maskHeadSchema.parse(JSON.parse(utf8(bytes.subarray(4, 4 + length))))
  const size = maskBytes(head)
  if (bytes.length !== 4 + length + size * head.frames.length) fail()
  const masks = head.frames.map((_, index) =>
    bytes.subarray(4 + length + index * size, 4 + length + (index + 1) * size),
  )
  return { head, masks }
}

/** Packs a mask (anything but 0 is set) into bits, least significant first. */
export function packMask(mask: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(mask.length / 8))
  for (let index = 0; index < mask.length; index++) {
    if (mask[index] !== 0) bits[index >> 3]! |= 1 << (index & 7)
  }
  return bits
}

/** Unpacks `voxels` bits into 0/1 bytes. */
export function unpackMask(bits: Uint8Array, voxels: number): Uint8Array {
  const mask = new Uint8Array(voxels)
  for (let index = 0; index < voxels; index++) mask[index] = (bits[index >> 3]! >> (index & 7)) & 1
  return mask
}
