import { promisify } from 'node:util'
import { crc32, createInflateRaw, inflateRaw } from 'node:zlib'
import { fromBufferPromise, getFileNameLowLevel, openPromise } from 'yauzl'
import type { Entry, ZipFile } from 'yauzl'
import { AlcoveError, isAlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import { displayName, looksLikeZip, STREAM_WEIGHT, WHOLE_BYTES } from './found-file.ts'
import type { ArchiveBytes, ArchiveSource, Content, FoundFile } from './found-file.ts'
import type { Walked } from './walk.ts'

const inflate = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflateRaw)

const STORED = 0
const DEFLATED = 8

/**
 * The files in a ZIP. Nothing is written anywhere, so a name in it ("../../x") is only ever shown. What is unpacked is
 * counted against the outermost ZIP's budget, and never held beyond WHOLE_BYTES a file.
 */
export async function* entriesOf(archive: ArchiveSource): AsyncGenerator<Walked> {
  if (archive.depth >= LIMITS.zipNestingDepth) {
    yield { name: archive.name, error: unsafe(`ZIPs are nested more than ${LIMITS.zipNestingDepth} deep here.`) }
    return
  }
  const bytes = await archive.open()
  let zip: ZipFile | null = null
  // The bytes are needed until the last file handed out has been read.
  let users = 1
  const release = async () => {
    users -= 1
    if (users === 0) await bytes.close()
  }
  try {
    zip = await openDirectory(bytes)
    if (zip.entryCount > LIMITS.zipEntries) throw unsafe(`The ZIP lists more than ${LIMITS.zipEntries} files.`)
    for await (const entry of zip.eachEntry()) {
      const found = await fileOf(entry, archive, bytes, zip)
      if (found === null) continue
      if (!('read' in found)) {
        yield found
        continue
      }
      users += 1
      yield { ...found, close: release }
    }
  } catch (error) {
    yield { name: archive.name, error: isAlcoveError(error) ? error : corrupt(error) }
  } finally {
    zip?.close()
    await release()
  }
}

function openDirectory(bytes: ArchiveBytes): Promise<ZipFile> {
  // Names as bytes: with decoding on, one name that points outside would end the whole archive.
  const options = { decodeStrings: false, lazyEntries: true, autoClose: false }
  return 'path' in bytes.directory
    ? openPromise(bytes.directory.path, options)
    : fromBufferPromise(bytes.directory.buffer, options)
}

async function fileOf(entry: Entry, archive: ArchiveSource, bytes: ArchiveBytes, zip: ZipFile): Promise<Walked | null> {
  const rawName = entry.fileName as unknown as Buffer
  const inner = getFileNameLowLevel(entry.generalPurposeBitFlag, rawName, entry.extraFields, false)
  if (inner.endsWith('/')) return null
  const name = displayName(`${archive.name}/${inner}`)
  if (entry.isEncrypted())
    return { name, error: new AlcoveError('archive/encrypted', 'This file in the ZIP is protected by a password.') }
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
    return {
      name,
      error: new AlcoveError(
        'archive/corrupt',
        `This file is packed by a method Alcove does not know (${entry.compressionMethod}). Unpack the ZIP and import the folder.`,
      ),
    }
  let start: number
  try {
    start = (await zip.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart
  } catch (error) {
    return { name, error: corrupt(error) }
  }
  const { uncompressedSize: size, compressedSize } = entry
  const small = size <= WHOLE_BYTES && compressedSize <= 2 * WHOLE_BYTES
  return {
    name,
    weight: small ? size + compressedSize : STREAM_WEIGHT,
    read: () => (small ? readWhole(name, entry, start, archive, bytes) : readLarge(name, entry, start, archive, bytes)),
  } satisfies FoundFile
}

async function readWhole(
  name: string,
  entry: Entry,
  start: number,
  archive: ArchiveSource,
  bytes: ArchiveBytes,
): Promise<Content> {
  const packed = await bytes.read(start, entry.compressedSize)
  if (packed.length < entry.compressedSize) throw corrupt(new Error('the archive ends early'))
  let plain = packed
  if (entry.compressionMethod === DEFLATED) {
    spend(archive, entry.uncompressedSize)
    try {
      plain = await inflate(packed, { maxOutputLength: Math.max(1, entry.uncompressedSize) })
    } catch (error) {
      throw corrupt(error)
    }
  }
  if (plain.length !== entry.uncompressedSize || crc32(plain) !== entry.crc32)
    throw corrupt(new Error('size or checksum differ'))
  return looksLikeZip(plain)
    ? { kind: 'archive', archive: nested(name, plain, archive) }
    : { kind: 'bytes', bytes: plain }
}

/** A large file: unpacked while it is read; one that is a ZIP itself is gathered in memory as far as that is allowed. */
async function readLarge(
  name: string,
  entry: Entry,
  start: number,
  archive: ArchiveSource,
  bytes: ArchiveBytes,
): Promise<Content> {
  const chunks = unpack(entry, start, archive, bytes)
  const first = await chunks.next()
  if (first.done === true) return { kind: 'bytes', bytes: Buffer.alloc(0) }
  const whole = prepend(first.value, chunks)
  if (!looksLikeZip(first.value)) return { kind: 'chunks', chunks: whole }
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const chunk of whole) {
    size += chunk.length
    if (size > LIMITS.zipNestedBytes)
      throw unsafe(
        'A ZIP inside the ZIP is too large to be unpacked in memory. Unpack the outer one and import the folder.',
      )
    pieces.push(chunk)
  }
  return { kind: 'archive', archive: nested(name, Buffer.concat(pieces), archive) }
}

async function* prepend(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

async function* unpack(
  entry: Entry,
  start: number,
  archive: ArchiveSource,
  bytes: ArchiveBytes,
): AsyncGenerator<Uint8Array> {
  const packed = bytes.stream(start, entry.compressedSize)
  const plain: AsyncIterable<Uint8Array> = entry.compressionMethod === STORED ? packed : inflating(packed)
  let size = 0
  let sum = 0
  try {
    for await (const chunk of plain) {
      size += chunk.length
      if (entry.compressionMethod !== STORED) spend(archive, chunk.length)
      if (size > LIMITS.dicomInstanceBytes) throw unsafe('This file unpacks to more than an object may hold.')
      sum = crc32(chunk, sum)
      yield chunk
    }
  } catch (error) {
    throw isAlcoveError(error) ? error : corrupt(error)
  }
  if (size !== entry.uncompressedSize || sum !== entry.crc32) throw corrupt(new Error('size or checksum differ'))
}

async function* inflating(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = createInflateRaw({ chunkSize: 1024 * 1024 })
  const feed = async () => {
    try {
      for await (const chunk of packed)
        if (!stream.write(chunk))
          await new Promise<void>((resolve) => stream.once('drain', resolve).once('close', resolve))
      stream.end()
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }
  const fed = feed()
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } finally {
    stream.destroy()
    await fed
  }
}

function nested(name: string, buffer: Buffer, outer: ArchiveSource): ArchiveSource {
  return archiveInMemory(name, buffer, outer.depth + 1, outer.budget)
}

export function archiveInMemory(
  name: string,
  buffer: Buffer,
  depth: number,
  budget: ArchiveSource['budget'],
): ArchiveSource {
  return {
    name,
    size: buffer.length,
    depth,
    budget,
    open: () =>
      Promise.resolve({
        directory: { buffer },
        read: (start, length) => Promise.resolve(buffer.subarray(start, start + length)),
        stream: async function* (start, length) {
          for (let at = start; at < start + length; at += 1024 * 1024)
            yield await Promise.resolve(buffer.subarray(at, Math.min(at + 1024 * 1024, start + length)))
        },
        close: () => Promise.resolve(),
      }),
  }
}

function spend(archive: ArchiveSource, bytes: number): void {
  archive.budget.left -= bytes
  if (archive.budget.left < 0)
    throw unsafe(
      `The ZIP unpacks to more than ${LIMITS.zipExpansionRatio} times its size, as one made to fill the disk.`,
    )
}

function unsafe(message: string): AlcoveError {
  return new AlcoveError('archive/unsafe', message)
}

function corrupt(cause: unknown): AlcoveError {
  return new AlcoveError('archive/corrupt', 'The ZIP is damaged or incomplete.', { cause })
}
