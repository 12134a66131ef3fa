import { createHash } from 'node:crypto'
import type { InstancePart } from '../dicom/types.ts'

/**
 * A capsule is one study in one encrypted file. `part` holds runs of the files' bytes; `instance.layout` says which
 * parts, in which order, make up a file, with a digest of each. The catalogue keeps a digest over layout and data set
 * (`instanceRoot`), so whatever page of a capsule is put back to an older state, the difference shows when it is read.
 */
export const CAPSULE_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE instance (
    id INTEGER PRIMARY KEY,
    sop_instance_uid TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    transfer_syntax_uid TEXT NOT NULL,
    frames INTEGER NOT NULL,
    -- InstanceHead.packedBits
    packed_bits INTEGER,
    bytes INTEGER NOT NULL,
    layout BLOB NOT NULL,
    -- DICOM JSON, zstd
    dataset BLOB NOT NULL
  ) STRICT;
  CREATE TABLE part (
    id INTEGER PRIMARY KEY,
    instance INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  `,
]

export const CAPSULE_PAGE_BYTES = 65_536
export const CAPSULE_CACHE_BYTES = 16 * 1024 * 1024

/** The context a capsule's key is sealed with. */
export function capsuleKeyContext(capsuleId: string): string {
  return `study-key:${capsuleId}`
}

const KINDS: readonly InstancePart['kind'][] = ['header', 'frame', 'glue', 'trailer', 'whole']
const DIGEST_BYTES = 32
/** u32 kind | u32 frame (0: none) | f64 part id | f64 length | 32 digest, little endian. */
const RECORD_BYTES = 24 + DIGEST_BYTES

export interface LayoutPart {
  kind: InstancePart['kind']
  /** 1-based; 0 when the part belongs to no frame. */
  frame: number
  part: number
  length: number
  sha256: Buffer
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

export function encodeLayout(parts: readonly LayoutPart[]): Buffer {
  const layout = Buffer.alloc(parts.length * RECORD_BYTES)
  parts.forEach((part, index) => {
    const at = index * RECORD_BYTES
    layout.writeUInt32LE(KINDS.indexOf(part.kind), at)
    layout.writeUInt32LE(part.frame, at + 4)
    layout.writeDoubleLE(part.part, at + 8)
    layout.writeDoubleLE(part.length, at + 16)
    part.sha256.copy(layout, at + 24)
  })
  return layout
}

/** The parts of one instance in file order, read from their packed form without unpacking it: a layout can be long. */
export class Layout {
  readonly #bytes: Buffer
  readonly count: number
  #firstOfFrame: Uint32Array | null = null

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.count = Math.floor(bytes.length / RECORD_BYTES)
  }

  part(index: number): LayoutPart {
    const at = index * RECORD_BYTES
    return {
      kind: KINDS[this.#bytes.readUInt32LE(at)] ?? 'glue',
      frame: this.#bytes.readUInt32LE(at + 4),
      part: this.#bytes.readDoubleLE(at + 8),
      length: this.#bytes.readDoubleLE(at + 16),
      sha256: this.#bytes.subarray(at + 24, at + RECORD_BYTES),
    }
  }

  get byteLength(): number {
    return this.#bytes.length
  }

  /** The parts that hold the pixel bytes of a frame; empty when there are none. */
  frameParts(frame: number): LayoutPart[] {
    this.#firstOfFrame ??= this.#indexFrames()
    const first = this.#firstOfFrame[frame]
    if (first === undefined || first === 0) return []
    const found: LayoutPart[] = []
    for (let index = first - 1; index < this.count; index += 1) {
      const part = this.part(index)
      if (part.kind === 'frame' && part.frame !== frame) break
      if (part.kind === 'frame') found.push(part)
    }
    return found
  }

  #indexFrames(): Uint32Array {
    let frames = 0
    for (let index = 0; index < this.count; index += 1)
      frames = Math.max(frames, this.#bytes.readUInt32LE(index * RECORD_BYTES + 4))
    // One more than the part's index, so that 0 can say "none".
    const first = new Uint32Array(frames + 1)
    for (let index = this.count - 1; index >= 0; index -= 1) {
      const frame = this.#bytes.readUInt32LE(index * RECORD_BYTES + 4)
      if (frame > 0) first[frame] = index + 1
    }
    return first
  }
}

/** What the catalogue remembers of an instance's content: 32 bytes. */
export function instanceRoot(
  sopInstanceUID: string,
  transferSyntaxUID: string,
  dataset: Uint8Array,
  layout: Uint8Array,
): Buffer {
  return createHash('sha256')
    .update(`alcove/instance/v1\0${sopInstanceUID}\0${transferSyntaxUID}\0`)
    .update(sha256(dataset))
    .update(layout)
    .digest()
}
