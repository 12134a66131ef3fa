import { promisify } from 'node:util'
import { zstdCompress } from 'node:zlib'
import { readInstanceBytes } from '../../dicom/read/index.ts'
import type { InstanceHead, InstancePart } from '../../dicom/types.ts'
import { sha256 } from '../capsule-format.ts'

const compress = promisify(zstdCompress)

/** Below this a hash is done before another thread could be asked. */
const ASYNC_HASH_BYTES = 32 * 1024

/** Everything about an instance that can be computed before it is known whether, and where, it is stored. */
export interface PreparedInstance {
  head: InstanceHead
  parts: readonly { part: InstancePart; sha256: Buffer }[]
  /** Of the file. */
  sha256: Buffer
  /** DICOM JSON, zstd. */
  dataset: Buffer
}

/** SHA-256 on the thread pool, so that it overlaps with the database's writing. */
async function hash(bytes: Uint8Array): Promise<Buffer> {
  if (bytes.length < ASYNC_HASH_BYTES) return sha256(bytes)
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}

/**
 * Reads an instance that lies in memory. `onHead` is called as soon as its identifiers are known.
 * @throws AlcoveError dicom/*
 */
export async function prepareInstance(bytes: Buffer, onHead: (head: InstanceHead) => void): Promise<PreparedInstance> {
  const { head, parts } = readInstanceBytes(bytes)
  onHead(head)
  const [digest, dataset, digests] = await Promise.all([
    hash(bytes),
    compress(JSON.stringify(head.dataset)),
    Promise.all(parts.map((part) => hash(part.bytes))),
  ])
  return { head, sha256: digest, dataset, parts: parts.map((part, index) => ({ part, sha256: digests[index]! })) }
}
