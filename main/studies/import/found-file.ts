import { AlcoveError } from '#common/errors.ts'

/** A file to be imported, before it is read. */
export interface FoundFile {
  /** Relative to what the person gave; with "archive.zip/…" for what lies in one. Untrusted text. */
  name: string
  /** Bytes it will take while it is read, as far as known. */
  weight: number
  /** @throws AlcoveError file/unreadable, archive/* */
  read(): Promise<Content>
  /** Called once when nobody wants it, or more of it, any more. */
  close?: () => Promise<void>
}

export type Content =
  | { kind: 'bytes'; bytes: Buffer }
  | { kind: 'chunks'; chunks: AsyncIterable<Uint8Array> }
  | { kind: 'archive'; archive: ArchiveSource }

/** Random access to a ZIP: on disk, or in memory when it lay inside another. */
export interface ArchiveSource {
  name: string
  size: number
  /** How many ZIPs this one lies in. */
  depth: number
  /** Bytes that may still be unpacked from the outermost ZIP. */
  budget: { left: number }
  open(): Promise<ArchiveBytes>
}

export interface ArchiveBytes {
  directory: { path: string } | { buffer: Buffer }
  read(start: number, length: number): Promise<Buffer>
  stream(start: number, length: number): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** Up to here a file is read at once; above, piece by piece. */
export const WHOLE_BYTES = 16 * 1024 * 1024
/** What a file read piece by piece takes at most: its header and one part. */
export const STREAM_WEIGHT = 2 * WHOLE_BYTES

/** "PK", then a local file, or the end record of an empty archive. */
export function looksLikeZip(start: Uint8Array): boolean {
  return (
    start.length >= 4 &&
    start[0] === 0x50 &&
    start[1] === 0x4b &&
    ((start[2] === 3 && start[3] === 4) || (start[2] === 5 && start[3] === 6))
  )
}

export function unreadable(cause: unknown): AlcoveError {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  const why: Record<string, string> = {
    ENOENT: 'does not exist',
    EACCES: 'may not be read by this user',
    EPERM: 'may not be read by this user',
    ENAMETOOLONG: 'has too long a name',
  }
  return new AlcoveError('file/unreadable', `The file ${why[code] ?? `cannot be read (${code || 'I/O error'})`}.`, {
    cause,
  })
}

/** For people and logs: no control characters, no line breaks, no end. */
export function displayName(name: string): string {
  return name.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '\u{fffd}').slice(0, 1024)
}
