import { zstdDecompressSync } from 'node:zlib'
import { EXPLICIT_VR_LITTLE_ENDIAN } from '#common/dicom/transfer-syntax.ts'
import { AlcoveError } from '#common/errors.ts'
import { frameFromWhole, inflateInstance, unpackFrame } from '../dicom/read/index.ts'
import { assertNotNewer, openDatabase, schemaVersion, withStoreErrors } from './database.ts'
import type { Connection } from './database.ts'
import {
  CAPSULE_CACHE_BYTES,
  CAPSULE_MIGRATIONS,
  CAPSULE_PAGE_BYTES,
  instanceRoot,
  Layout,
  sha256,
} from './capsule-format.ts'
import type { LayoutPart } from './capsule-format.ts'
import type { CapsuleAccess, ReadFrame } from './types.ts'

/** Which instance to read, and what the catalogue knows of it: without `root` nothing tells an old page from a new one. */
export interface InstanceKey {
  /** `instance.id` in the capsule. */
  row: number
  root?: Uint8Array
}

export interface OpenInstance {
  sopInstanceUID: string
  seriesInstanceUID: string
  transferSyntaxUID: string
  frames: number
  /** InstanceHead.packedBits; null when frames begin at byte borders. */
  packedBits: number | null
  bytes: number
  layout: Layout
}

/** Deflated or bit-packed pixel data kept for the next frame. */
const CONTENT_CACHE_BYTES = 256 * 1024 * 1024
/** Layouts kept open per capsule: 64 MiB is a million parts. */
const LAYOUT_CACHE_BYTES = 64 * 1024 * 1024
const DATASET_BYTES = 1024 * 1024 * 1024

/** @throws AlcoveError store/corrupt, store/newer-version */
export function openCapsule(access: CapsuleAccess): CapsuleReader {
  let connection: Connection
  try {
    connection = openDatabase(access.path, {
      key: access.key,
      cipher: access.cipher,
      pageBytes: CAPSULE_PAGE_BYTES,
      cacheBytes: CAPSULE_CACHE_BYTES,
      mode: 'read',
    })
  } catch (error) {
    // Its key came out of an authenticated seal: when it does not fit, the file is not the one that was written.
    if (error instanceof AlcoveError && error.code === 'vault/wrong-key') throw damaged(error)
    throw error
  }
  try {
    assertNotNewer(schemaVersion(connection), CAPSULE_MIGRATIONS, 'A study')
    return new CapsuleReader(connection)
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Reads one study. Synchronous: it belongs in a worker thread or the inference process, never on the main thread. */
export class CapsuleReader {
  readonly #connection: Connection
  readonly #instances = new Map<number, OpenInstance & { checked: boolean }>()
  #layoutBytes = 0
  #lastContent: { row: number; bytes: Uint8Array } | null = null
  readonly #selectInstance
  readonly #selectPart

  constructor(connection: Connection) {
    this.#connection = connection
    this.#selectInstance = connection.prepare<[number], InstanceRow>('SELECT * FROM instance WHERE id = ?')
    this.#selectPart = connection.prepare<[number], { bytes: Buffer }>('SELECT bytes FROM part WHERE id = ?')
  }

  /** Every instance in the file, also those not (yet) acknowledged in the catalogue. */
  list(): { row: number; sopInstanceUID: string; seriesInstanceUID: string }[] {
    return withStoreErrors(() =>
      this.#connection
        .prepare<[], { row: number; sopInstanceUID: string; seriesInstanceUID: string }>(
          `SELECT id AS row, sop_instance_uid AS sopInstanceUID, series_instance_uid AS seriesInstanceUID
           FROM instance ORDER BY id`,
        )
        .all(),
    )
  }

  /** @throws AlcoveError store/corrupt when the instance is not what the catalogue says */
  instance(key: InstanceKey): OpenInstance {
    const known = this.#instances.get(key.row)
    if (known !== undefined && (known.checked || key.root === undefined)) return known
    const row = this.#row(key)
    const opened = {
      sopInstanceUID: row.sop_instance_uid,
      seriesInstanceUID: row.series_instance_uid,
      transferSyntaxUID: row.transfer_syntax_uid,
      frames: row.frames,
      packedBits: row.packed_bits,
      bytes: row.bytes,
      layout: new Layout(row.layout),
      checked: key.root !== undefined,
    }
    if (this.#layoutBytes > LAYOUT_CACHE_BYTES) {
      this.#instances.clear()
      this.#layoutBytes = 0
    }
    this.#instances.set(key.row, opened)
    this.#layoutBytes += opened.layout.byteLength + 256
    return opened
  }

  #row(key: InstanceKey): InstanceRow {
    const row = withStoreErrors(() => this.#selectInstance.get(key.row))
    if (row === undefined) throw damaged()
    if (key.root !== undefined) {
      const root = instanceRoot(row.sop_instance_uid, row.transfer_syntax_uid, row.dataset, row.layout)
      if (!root.equals(key.root)) throw damaged()
    }
    return row
  }

  /** DICOM JSON of the instance's data set, as UTF-8. */
  dataset(key: InstanceKey): Buffer {
    return zstdDecompressSync(this.#row(key).dataset, { maxOutputLength: DATASET_BYTES })
  }

  /** Bytes of part `index`, checked against its digest. The buffer is the caller's. */
  part(instance: OpenInstance, index: number): Buffer {
    return this.#read(instance.layout.part(index))
  }

  #read(part: LayoutPart): Buffer {
    const row = withStoreErrors(() => this.#selectPart.get(part.part))
    if (row === undefined || row.bytes.length !== part.length || !sha256(row.bytes).equals(part.sha256)) throw damaged()
    return row.bytes
  }

  /**
   * One frame in its transfer syntax, fragments joined; of a deflated file, inflated (Explicit VR Little Endian).
   * @param frame 1-based
   * @throws AlcoveError not-found, dicom/no-pixels, store/corrupt
   */
  frame(key: InstanceKey, frame: number): ReadFrame {
    const instance = this.instance(key)
    const { transferSyntaxUID, packedBits } = instance
    if (instance.frames === 0) throw new AlcoveError('dicom/no-pixels', 'This object has no pixel data.')
    if (!Number.isInteger(frame) || frame < 1 || frame > instance.frames)
      throw new AlcoveError('not-found', `There is no frame ${frame}: the object has ${instance.frames}.`)
    if (isWhole(instance)) {
      const bytes = frameFromWhole(this.#content(key, instance), frame)
      return {
        bytes: packedBits === null ? Buffer.from(bytes) : unpackFrame(bytes, packedBits, frame),
        transferSyntaxUID: EXPLICIT_VR_LITTLE_ENDIAN,
      }
    }
    if (packedBits !== null)
      return { bytes: unpackFrame(this.#content(key, instance), packedBits, frame), transferSyntaxUID }
    return { bytes: this.#join(instance.layout.frameParts(frame)), transferSyntaxUID }
  }

  /** Bytes [offset, offset + length) of the inflated file: what "bulk:…" references count in. */
  bulk(key: InstanceKey, offset: number, length: number): Buffer {
    const instance = this.instance(key)
    if (!isWhole(instance)) return this.range(key, offset, length)
    const bytes = inflateInstance(this.#content(key, instance))
    if (offset < 0 || length < 0 || offset + length > bytes.length) throw tooShort()
    return Buffer.from(bytes.subarray(offset, offset + length))
  }

  /** The deflated file, or the packed bits, frames are cut out of when they are no parts of their own; the last one is kept, as frames come in a row. */
  #content(key: InstanceKey, instance: OpenInstance): Uint8Array {
    if (this.#lastContent?.row === key.row) return this.#lastContent.bytes
    let bytes: Uint8Array
    if (isWhole(instance)) bytes = this.range(key, 0, instance.bytes)
    else bytes = this.#join(instance.layout.frameParts(1))
    this.#lastContent = bytes.length <= CONTENT_CACHE_BYTES ? { row: key.row, bytes } : null
    return bytes
  }

  #join(parts: readonly LayoutPart[]): Buffer {
    const [first] = parts
    if (first === undefined) throw new AlcoveError('not-found', 'This frame has no bytes.')
    return parts.length === 1 ? this.#read(first) : Buffer.concat(parts.map((part) => this.#read(part)))
  }

  /** Bytes [offset, offset + length) of the file as it was received. @throws AlcoveError not-found when it is shorter */
  range(key: InstanceKey, offset: number, length: number): Buffer {
    const instance = this.instance(key)
    if (offset < 0 || length < 0 || offset + length > instance.bytes) throw tooShort()
    const pieces: Buffer[] = []
    let start = 0
    for (let index = 0; index < instance.layout.count && start < offset + length; index += 1) {
      const part = instance.layout.part(index)
      if (start + part.length > offset)
        pieces.push(this.#read(part).subarray(Math.max(0, offset - start), offset + length - start))
      start += part.length
    }
    return Buffer.concat(pieces)
  }

  close(): void {
    this.#instances.clear()
    this.#lastContent = null
    this.#connection.close()
  }
}

/** Deflated: its frames and offsets exist only after inflation. */
function isWhole(instance: OpenInstance): boolean {
  return instance.layout.count > 0 && instance.layout.part(0).kind === 'whole'
}

interface InstanceRow {
  id: number
  sop_instance_uid: string
  series_instance_uid: string
  transfer_syntax_uid: string
  frames: number
  packed_bits: number | null
  bytes: number
  layout: Buffer
  dataset: Buffer
}

function tooShort(): AlcoveError {
  return new AlcoveError('not-found', 'The object is shorter than that.')
}

function damaged(cause?: unknown): AlcoveError {
  return new AlcoveError(
    'store/corrupt',
    'A stored study is not what was received: its file was damaged or put back to an older state. Restore it from a backup.',
    { cause },
  )
}
