import { undecodable } from '../undecodable.ts'

const LOOKUP_BITS = 9

/** A Huffman table of ITU-T T.81 annex C, with a short lookup for the common codes. */
export interface HuffmanTable {
  /** code length << 8 | symbol for every 9-bit prefix, -1 where the code is longer. */
  lookup: Int32Array
  /** Largest code of each length 1–16, -1 where there is none; index 17 stops the search. */
  maxCode: Int32Array
  /** Index of a code of this length in `symbols` minus the first code of that length. */
  delta: Int32Array
  symbols: Uint8Array
}

/** @param counts codes of each length 1–16 @throws AlcoveError dicom/undecodable-pixels when the lengths overflow */
export function huffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const lookup = new Int32Array(1 << LOOKUP_BITS).fill(-1)
  const maxCode = new Int32Array(18).fill(-1)
  const delta = new Int32Array(17)
  let code = 0
  let index = 0
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1] ?? 0
    delta[length] = index - code
    if (code + count > 1 << length) throw undecodable('a JPEG Huffman table is impossible.')
    for (let k = 0; k < count; k++, code++, index++) {
      if (length > LOOKUP_BITS) continue
      const first = code << (LOOKUP_BITS - length)
      lookup.fill((length << 8) | (symbols[index] ?? 0), first, first + (1 << (LOOKUP_BITS - length)))
    }
    if (count > 0) maxCode[length] = code - 1
    code <<= 1
  }
  maxCode[17] = 0x7fffffff
  return { lookup, maxCode, delta, symbols }
}

/**
 * Bits of one entropy-coded segment, stuffed zeros removed. Past its end (a marker, or the end of the data) it gives
 * zeros and remembers so: `exhausted` tells whether any of those invented bits was used.
 */
export class JpegBits {
  private readonly data: Uint8Array
  private readonly end: number
  private buffer = 0
  private count = 0
  private invented = 0
  /** Where the next byte is read; at a marker's 0xFF once the segment is used up. */
  position: number

  constructor(data: Uint8Array, position: number, end: number) {
    this.data = data
    this.position = position
    this.end = end
  }

  get exhausted(): boolean {
    return this.count < this.invented
  }

  private fill(): void {
    const { data, end } = this
    while (this.count <= 24) {
      let byte = 0
      if (this.position >= end) {
        this.invented += 8
      } else {
        byte = data[this.position]!
        if (byte !== 0xff) this.position++
        else if (this.position + 1 < end && data[this.position + 1] === 0) this.position += 2
        else {
          byte = 0
          this.invented += 8
        }
      }
      this.buffer = (this.buffer << 8) | byte
      this.count += 8
    }
  }

  /** `length` 0–16 */
  bits(length: number): number {
    if (length === 0) return 0
    if (this.count < length) this.fill()
    this.count -= length
    return (this.buffer >>> this.count) & ((1 << length) - 1)
  }

  symbol(table: HuffmanTable): number {
    if (this.count < 16) this.fill()
    const found = table.lookup[(this.buffer >>> (this.count - LOOKUP_BITS)) & ((1 << LOOKUP_BITS) - 1)]!
    if (found >= 0) {
      this.count -= found >> 8
      return found & 0xff
    }
    for (let length = LOOKUP_BITS + 1; length <= 16; length++) {
      const code = (this.buffer >>> (this.count - length)) & ((1 << length) - 1)
      if (code <= table.maxCode[length]!) {
        this.count -= length
        return table.symbols[code + table.delta[length]!] ?? 0
      }
    }
    throw undecodable(
      this.exhausted ? 'the JPEG data ends early.' : 'the JPEG data holds a code that no table explains.',
    )
  }

  /** EXTEND of T.81 F.2.2.1: `length` bits as a signed difference. */
  signed(length: number): number {
    if (length === 0) return 0
    const value = this.bits(length)
    return value < 1 << (length - 1) ? value - (1 << length) + 1 : value
  }

  /**
   * Steps over the restart marker that must follow here and starts afresh.
   * @throws AlcoveError dicom/undecodable-pixels when it does not
   */
  restart(): void {
    if (this.exhausted) throw undecodable('the JPEG data ends early.')
    const { data } = this
    let at = this.position
    // Whole bytes still in the buffer would be bytes that no code used: the stream is out of step.
    if (this.count - this.invented >= 8) throw undecodable('the JPEG data is out of step at a restart marker.')
    while (at + 1 < this.end && data[at] === 0xff && data[at + 1] === 0xff) at++
    const marker = data[at + 1] ?? 0
    if (data[at] !== 0xff || marker < 0xd0 || marker > 0xd7) throw undecodable('a JPEG restart marker is missing.')
    this.position = at + 2
    this.buffer = 0
    this.count = 0
    this.invented = 0
  }
}
