import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openVault } from '../../vault/open-vault.ts'
import type { Vault } from '../../vault/types.ts'
import type { Cipher } from '../database.ts'
import { openStudies } from '../open-studies.ts'
import type { OpenedStudies } from '../open-studies.ts'
import type { ImportSource } from '../types.ts'

export const TEST_PASSPHRASE = 'only for tests'

export interface TestStore extends OpenedStudies {
  dataDir: string
  vault: Vault
  /** Closes the store and opens it again, as the next start would. */
  reopen(): Promise<void>
  remove(): Promise<void>
}

export async function testStore(cipher: Cipher = 'aegis-256'): Promise<TestStore> {
  const dataDir = await mkdtemp(join(tmpdir(), 'alcove-store-'))
  const vault = await openVault(dataDir, { createIfMissing: true, passphrase: () => Promise.resolve(TEST_PASSPHRASE) })
  const store: TestStore = {
    dataDir,
    vault,
    ...(await openStudies({ dataDir, vault, cipher })),
    async reopen() {
      await store.studies.close()
      Object.assign(store, await openStudies({ dataDir, vault, cipher }))
    },
    async remove() {
      await store.studies.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return store
}

export function streams(files: Readonly<Record<string, Uint8Array>>): ImportSource[] {
  return Object.entries(files).map(([name, bytes]) => ({ kind: 'stream', name, chunks: inChunks(bytes) }))
}

async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield await Promise.resolve(bytes.subarray(at, at + 65_536))
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const chunk of chunks) pieces.push(chunk)
  return Buffer.concat(pieces)
}
