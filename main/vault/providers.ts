import type { VaultFile } from './vault-file.ts'

/**
 * Where a 32-byte seed is kept. One provider knows one place (keychain, passphrase; a smart card or a key service later);
 * the vault knows none.
 */
export interface SeedProvider {
  readonly kind: VaultFile['provider']['kind']
  /** For a person, e.g. "Secret Service". */
  readonly detail: string
  /** Keeps the seed and returns what vault.json must remember of it: never a secret. @throws AlcoveError */
  store(seed: Uint8Array, identity: Identity): Promise<VaultFile['provider']>
  /** @throws AlcoveError vault/key-missing, vault/wrong-key, vault/locked (passphrase needed), vault/keychain-unavailable */
  load(file: VaultFile): Promise<Uint8Array>
  /** Undoes `store` when the vault could not be created after all. */
  discard(identity: Identity): Promise<void>
}

export type Identity = Pick<VaultFile, 'id' | 'createdAt' | 'publicKey'>
