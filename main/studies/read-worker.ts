import { createHash } from 'node:crypto'
import type { MessagePort } from 'node:worker_threads'
import { openCapsule } from './capsule-reader.ts'
import type { CapsuleReader, InstanceKey } from './capsule-reader.ts'
import { toWire } from './worker-protocol.ts'
import type { ReadOperation, ReadReply, ReadRequest, ReadResult } from './worker-protocol.ts'

const OPEN_CAPSULES = 16
/** A file goes back in pieces of about this size. */
const PIECE_BYTES = 4 * 1024 * 1024

/** Answers reads one after the other; the least recently used capsules are closed. */
export function serveReads(port: MessagePort): void {
  const open = new Map<string, CapsuleReader>()

  function readerFor({ capsule }: ReadRequest): CapsuleReader | null {
    let reader = open.get(capsule.id)
    if (reader === undefined) {
      if (capsule.key === null) return null
      reader = openCapsule({ path: capsule.path, cipher: capsule.cipher, key: capsule.key })
    }
    capsule.key?.fill(0)
    open.delete(capsule.id)
    open.set(capsule.id, reader)
    for (const [id, oldest] of open) {
      if (open.size <= OPEN_CAPSULES) break
      oldest.close()
      open.delete(id)
    }
    return reader
  }

  function answer(request: ReadRequest): ReadReply {
    const { id, operation } = request
    try {
      if (operation.kind === 'close') {
        open.get(request.capsule.id)?.close()
        open.delete(request.capsule.id)
        return { id, result: { kind: 'closed' } }
      }
      const reader = readerFor(request)
      return reader === null ? { id, needKey: true } : { id, result: perform(reader, operation) }
    } catch (error) {
      return { id, error: toWire(error) }
    }
  }

  port.on('message', (request: ReadRequest) => {
    const reply = answer(request)
    if ('result' in reply && 'bytes' in reply.result && reply.result.kind !== 'verified') {
      const bytes = ownBytes(reply.result.bytes)
      port.postMessage({ ...reply, result: { ...reply.result, bytes } }, [bytes.buffer])
    } else port.postMessage(reply)
  })
}

/** Bytes that lie alone in their buffer, which can then be handed over instead of copied. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes
  const alone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
  return alone ? new Uint8Array(buffer) : new Uint8Array(bytes)
}

function perform(reader: CapsuleReader, operation: Exclude<ReadOperation, { kind: 'close' }>): ReadResult {
  switch (operation.kind) {
    case 'frame':
      return { kind: 'frame', ...reader.frame(operation.instance, operation.frame) }
    case 'metadata':
      return { kind: 'bytes', bytes: jsonArray(operation.instances.map((instance) => reader.dataset(instance))) }
    case 'bulk':
      return { kind: 'bytes', bytes: reader.bulk(operation.instance, operation.offset, operation.length) }
    case 'file':
      return filePiece(reader, operation.instance, operation.from)
    case 'verify':
      return verify(reader, operation.instance)
  }
}

function jsonArray(documents: readonly Buffer[]): Buffer {
  const pieces = documents.flatMap((document, index) => (index === 0 ? [document] : [Buffer.from(','), document]))
  return Buffer.concat([Buffer.from('['), ...pieces, Buffer.from(']')])
}

function filePiece(reader: CapsuleReader, key: InstanceKey, from: number): ReadResult {
  const instance = reader.instance(key)
  const pieces: Buffer[] = []
  let size = 0
  let index = from
  while (index < instance.layout.count && size < PIECE_BYTES) {
    const bytes = reader.part(instance, index)
    pieces.push(bytes)
    size += bytes.length
    index += 1
  }
  const [only] = pieces
  const bytes = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
  return { kind: 'file', bytes, next: index < instance.layout.count ? index : null }
}

function verify(reader: CapsuleReader, key: InstanceKey): ReadResult {
  const instance = reader.instance(key)
  const digest = createHash('sha256')
  for (let index = 0; index < instance.layout.count; index += 1) digest.update(reader.part(instance, index))
  return { kind: 'verified', sha256: digest.digest(), bytes: instance.bytes }
}
