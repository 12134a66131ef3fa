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
  /** Forgets the seed; `unlock` brings it back from the provider. */
  lock(): void
  unlock(): Promise<void>
}
