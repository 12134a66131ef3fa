import type { AlcoveError, ErrorCode } from '#common/errors.ts'
import { AlcoveError as AlcoveErrorClass, toAlcoveError } from '#common/errors.ts'
import type { SealedKey } from '../vault/types.ts'
import type { InstanceKey } from './capsule-reader.ts'
import type { Cipher } from './database.ts'
import type { JobSummary } from './import/import-job.ts'
import type { ImportOutcome, ImportProgress } from './types.ts'

/** What a study worker is started with. */
export type StudyWorkerData =
  | { role: 'reader' }
  | {
      role: 'writer'
      dataDir: string
      catalogueKey: Uint8Array
      catalogueCipher: Cipher
      cipher: Cipher
      publicKey: Uint8Array
    }

/** Errors cross threads as plain data. */
export interface WireError {
  code: ErrorCode
  message: string
}

export function toWire(error: unknown): WireError {
  const { code, message } = toAlcoveError(error)
  return { code, message }
}

export function fromWire(error: WireError): AlcoveError {
  return new AlcoveErrorClass(error.code, error.message)
}

/** To a reader. `key` is only sent when the reader says it has not opened the capsule: it costs an opened seal. */
export interface ReadRequest {
  id: number
  capsule: { id: string; path: string; cipher: Cipher; key: Uint8Array | null }
  operation: ReadOperation
}

export type ReadOperation =
  | { kind: 'frame'; instance: InstanceKey; frame: number }
  | { kind: 'metadata'; instances: InstanceKey[] }
  | { kind: 'bulk'; instance: InstanceKey; offset: number; length: number }
  /** Parts of the file from `from` on, about PIECE_BYTES of them. */
  | { kind: 'file'; instance: InstanceKey; from: number }
  /** SHA-256 of the file as it is in the capsule, each part checked. */
  | { kind: 'verify'; instance: InstanceKey }
  | { kind: 'close' }

export type ReadResult =
  | { kind: 'frame'; bytes: Uint8Array; transferSyntaxUID: string }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'file'; bytes: Uint8Array; next: number | null }
  | { kind: 'verified'; sha256: Uint8Array; bytes: number }
  | { kind: 'closed' }

export type ReadReply =
  { id: number; result: ReadResult } | { id: number; error: WireError } | { id: number; needKey: true }

/** To the writer. */
export type WriteRequest =
  | { type: 'import'; job: number; onlyStudy: string | null; outcomes: boolean }
  | { type: 'path'; job: number; path: string }
  | { type: 'stream'; job: number; stream: number; name: string }
  | { type: 'chunk'; stream: number; bytes: Uint8Array }
  | { type: 'stream-end'; stream: number; error: WireError | null }
  | { type: 'sources-end'; job: number; error: WireError | null }
  | { type: 'abort'; job: number }
  | { type: 'key'; request: number; key: Uint8Array | null; error: WireError | null }
  | { type: 'release'; request: number; studyInstanceUID: string }
  | { type: 'close' }

export type WriteReply =
  | { type: 'need-key'; request: number; capsule: string; sealedKey: SealedKey }
  /** The writer has taken this much of a stream. */
  | { type: 'taken'; stream: number; bytes: number }
  | { type: 'progress'; job: number; progress: ImportProgress }
  | { type: 'outcomes'; job: number; outcomes: ImportOutcome[] }
  | { type: 'done'; job: number; summary: JobSummary }
  | { type: 'failed'; job: number; error: WireError }
  | { type: 'changed'; studyInstanceUIDs: string[] }
  | { type: 'released'; request: number }
  | { type: 'closed' }
