declare const brand: unique symbol

/**
 * A secret sealed to this workstation's hybrid public key: version byte, X-Wing ciphertext (1120 B), AES-256-GCM
 * nonce, ciphertext and tag. Making one needs no secret; opening one needs the unlocked vault.
 */
export type SealedKey = Uint8Array & { readonly [brand]: 'SealedKey' }

export interface VaultStatus {
  state: 'unlocked' | 'locked'
  /** Where the 32-byte seed lives. */
  provider: 'keychain' | 'passphrase'
  /** Full name for a person, e.g. "Secret Service (gnome-keyring)". */
  providerDetail: string
  /** SHA-256 of the public key, first 16 hex digits. */
  identity: string
  createdAt: string
}

export interface Vault {
  status(): VaultStatus
  /** Works while locked. `context` is bound as associated data (e.g. "study-key:<capsule id>") and must be given again to open. */
  seal(secret: Uint8Array, context: string): SealedKey
  /** @throws AlcoveError vault/locked, vault/wrong-key (sealed to another identity, or altered) */
  open(sealed: SealedKey, context: string): Uint8Array
  /** Anyone may seal to it; 1216 bytes. What a worker needs to seal without the vault. */
  readonly publicKey: Uint8Array
  /** Forgets the seed; `unlock` brings it back from the provider. */
  lock(): void
  /**
   * @param passphrase for the passphrase provider, unless the vault was opened with a way to ask for it
   * @throws AlcoveError vault/wrong-key, vault/key-missing, vault/keychain-unavailable
   */
  unlock(passphrase?: string): Promise<void>
  /** Called after each change of state; returns the unsubscribe function. */
  onStateChange(listener: (state: VaultStatus['state']) => void): () => void
}
