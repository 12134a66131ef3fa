import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import { looksLikeZip, STREAM_WEIGHT, unreadable, WHOLE_BYTES } from './found-file.ts'
import type { ArchiveSource, Content, FoundFile } from './found-file.ts'

export type Walked = FoundFile | { name: string; error: AlcoveError }

/** Pieces of a large file. */
const CHUNK_BYTES = 1024 * 1024

/** Every file at or below `path`, in name order; what cannot be looked at comes as an error in its place. */
export async function* walk(path: string): AsyncGenerator<Walked> {
  yield* walkAt(path, basename(path) || path, 0, new Set())
}

async function* walkAt(path: string, name: string, depth: number, above: ReadonlySet<string>): AsyncGenerator<Walked> {
  let info
  try {
    info = await stat(path, { bigint: true })
  } catch (error) {
    yield { name, error: unreadable(error) }
    return
  }
  if (info.isFile()) {
    yield fileAt(path, name, Number(info.size))
    return
  }
  if (!info.isDirectory()) {
    // Opening a pipe would wait for ever.
    yield { name, error: new AlcoveError('file/unreadable', 'This is neither a file nor a folder.') }
    return
  }
  const identity = `${info.dev}:${info.ino}`
  // A link back up: what it leads to is being walked already.
  if (above.has(identity)) return
  if (depth >= LIMITS.importPathDepth) {
    yield { name, error: new AlcoveError('file/unreadable', 'The folder lies too deep.') }
    return
  }
  let names: string[]
  try {
    names = await readdir(path)
  } catch (error) {
    yield { name, error: unreadable(error) }
    return
  }
  const within = new Set(above).add(identity)
  for (const child of names.sort()) yield* walkAt(join(path, child), `${name}/${child}`, depth + 1, within)
}

function fileAt(path: string, name: string, size: number): FoundFile {
  return {
    name,
    weight: size <= WHOLE_BYTES ? size : STREAM_WEIGHT,
    async read(): Promise<Content> {
      let handle: FileHandle
      try {
        handle = await open(path, 'r')
      } catch (error) {
        throw unreadable(error)
      }
      try {
        const small = size <= WHOLE_BYTES
        const start = await readAt(handle, 0, small ? size : 4)
        if (looksLikeZip(start)) return { kind: 'archive', archive: archiveAt(path, name, size) }
        if (small) return { kind: 'bytes', bytes: start }
      } catch (error) {
        throw unreadable(error)
      } finally {
        await handle.close()
      }
      return { kind: 'chunks', chunks: chunksOf(path) }
    },
  }
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) yield chunk as Buffer
  } catch (error) {
    throw unreadable(error)
  }
}

/** Fewer bytes only when the file has become shorter. */
async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

function archiveAt(path: string, name: string, size: number): ArchiveSource {
  return {
    name,
    size,
    depth: 0,
    budget: { left: Math.max(size, 1024) * LIMITS.zipExpansionRatio },
    async open() {
      const handle = await open(path, 'r').catch((error: unknown) => {
        throw unreadable(error)
      })
      return {
        directory: { path },
        read: (start, length) => readAt(handle, start, length),
        stream: (start, length) =>
          handle.createReadStream({ start, end: start + length - 1, autoClose: false, highWaterMark: CHUNK_BYTES }),
        close: () => handle.close(),
      }
    },
  }
}
