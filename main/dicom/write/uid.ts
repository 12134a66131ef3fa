import { createHash, randomUUID } from 'node:crypto'

/** Names the software in file meta information (0002,0012): a fixed UUID-derived UID of Alcove's own. */
export const IMPLEMENTATION_CLASS_UID = '2.25.106874270961862839246372095346130984817'
export const IMPLEMENTATION_VERSION_NAME = 'ALCOVE_0_1'

/** A fresh UID derived from a random UUID (PS3.5 annex B.2). */
export function newUid(): string {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`
}

/** The same UID for the same text, as a name-based UUID: for generated data that must be reproducible. */
export function uidOf(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16)
  // Version 8 (custom) and variant bits of RFC 9562.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return `2.25.${BigInt(`0x${bytes.toString('hex')}`)}`
}
