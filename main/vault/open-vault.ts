import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { AlcoveError } from '#common/errors.ts'
import { publicKeyOf, SEED_BYTES } from './hybrid-kem.ts'
import { keychainProvider } from './keychain-provider.ts'
import { passphraseProvider } from './passphrase-provider.ts'
import type { AskPassphrase } from './passphrase-provider.ts'
import type { Identity, SeedProvider } from './providers.ts'
import { openSealed, sealTo } from './seal.ts'
import type { SealedKey, Vault, VaultStatus } from './types.ts'
import { createVaultFile, fingerprint, holdsEncryptedData, readVaultFile } from './vault-file.ts'
import type { VaultFile } from './vault-file.ts'

export interface OpenVaultOptions {
  /** A text is used once and forgotten; a function is asked again at each unlock (e.g. reads a passphrase file). */
  passphrase?: string | (() => Promise<string>)
  /** For a new vault: default `passphrase` when one is given, otherwise `keychain`. For an existing one: must be what it has. */
  provider?: 'keychain' | 'passphrase'
  /** Makes a new identity in a folder that holds none and no encrypted data either. */
  createIfMissing?: boolean
  /** Loads no secret: the vault can seal and is opened later with `unlock`. */
  startLocked?: boolean
}

/**
 * The identity of one data folder. A wrong or missing key is an error; it never leads to a new vault over old data.
 * @throws AlcoveError vault/key-missing, vault/wrong-key, vault/locked (a passphrase is needed), vault/keychain-unavailable, vault/corrupt, not-found (nothing there, and `createIfMissing` not set)
 */
export async function openVault(dataDir: string, options: OpenVaultOptions = {}): Promise<Vault> {
  const file = (await readVaultFile(dataDir)) ?? (await createVault(dataDir, options))
  if (options.provider !== undefined && options.provider !== file.provider.kind)
    throw new AlcoveError(
      'usage/invalid',
      `This data folder keeps its key by ${file.provider.kind}, not ${options.provider}.`,
    )
  if (options.passphrase !== undefined && file.provider.kind === 'keychain')
    throw new AlcoveError('usage/invalid', 'This data folder keeps its key in the keychain and takes no passphrase.')
  const vault = new FolderVault(file, options.passphrase)
  if (options.startLocked !== true) await vault.unlock()
  return vault
}

function providerFor(kind: VaultFile['provider']['kind'], ask: AskPassphrase): SeedProvider {
  return kind === 'keychain' ? keychainProvider() : passphraseProvider(ask)
}

function asAsk(passphrase: OpenVaultOptions['passphrase']): AskPassphrase {
  return async () => (typeof passphrase === 'function' ? await passphrase() : (passphrase ?? null))
}

async function createVault(dataDir: string, options: OpenVaultOptions): Promise<VaultFile> {
  if (await holdsEncryptedData(dataDir))
    throw new AlcoveError(
      'vault/key-missing',
      'This data folder holds encrypted studies, but its vault.json is gone. Restore vault.json from a backup; nothing was changed.',
    )
  if (options.createIfMissing !== true)
    throw new AlcoveError('not-found', 'There is no Alcove data in this folder yet.')
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const kind = options.provider ?? (options.passphrase === undefined ? 'keychain' : 'passphrase')
  const provider = providerFor(kind, asAsk(options.passphrase))
  const seed = new Uint8Array(randomBytes(SEED_BYTES))
  try {
    const identity: Identity = {
      id: randomBytes(16).toString('hex'),
      createdAt: new Date().toISOString(),
      publicKey: new Uint8Array(publicKeyOf(seed)),
    }
    const file: VaultFile = { format: 1, ...identity, provider: await provider.store(seed, identity) }
    try {
      await createVaultFile(dataDir, file)
    } catch (error) {
      await provider.discard(identity)
      // Another process was first: its identity is the folder's.
      const other = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readVaultFile(dataDir) : null
      if (other === null) throw error
      return other
    }
    return file
  } finally {
    seed.fill(0)
  }
}

class FolderVault implements Vault {
  readonly publicKey: Uint8Array
  readonly #file: VaultFile
  #passphrase: OpenVaultOptions['passphrase']
  #seed: Uint8Array | null = null
  readonly #listeners = new Set<(state: VaultStatus['state']) => void>()

  constructor(file: VaultFile, passphrase: OpenVaultOptions['passphrase']) {
    this.#file = file
    this.publicKey = file.publicKey
    this.#passphrase = passphrase
  }

  status(): VaultStatus {
    const { provider, publicKey, createdAt } = this.#file
    return {
      state: this.#seed === null ? 'locked' : 'unlocked',
      provider: provider.kind,
      providerDetail: providerFor(provider.kind, asAsk(undefined)).detail,
      identity: fingerprint(publicKey),
      createdAt,
    }
  }

  seal(secret: Uint8Array, context: string): SealedKey {
    return sealTo(this.publicKey, secret, context)
  }

  open(sealed: SealedKey, context: string): Uint8Array {
    if (this.#seed === null) throw new AlcoveError('vault/locked', 'The studies are locked. Unlock Alcove first.')
    return openSealed(this.#seed, sealed, context)
  }

  lock(): void {
    if (this.#seed === null) return
    this.#seed.fill(0)
    this.#seed = null
    this.#tell('locked')
  }

  async unlock(passphrase?: string): Promise<void> {
    if (this.#seed !== null) return
    const given = passphrase ?? this.#passphrase
    const seed = await providerFor(this.#file.provider.kind, asAsk(given)).load(this.#file)
    if (!Buffer.from(publicKeyOf(seed)).equals(this.publicKey)) {
      seed.fill(0)
      throw new AlcoveError(
        'vault/wrong-key',
        'The key found does not belong to this data folder: vault.json or the keychain entry is from another one.',
      )
    }
    // Kept, a passphrase would make `lock` meaningless. (A JavaScript string cannot be overwritten, only let go.)
    if (typeof this.#passphrase === 'string') this.#passphrase = undefined
    this.#seed = seed
    this.#tell('unlocked')
  }

  onStateChange(listener: (state: VaultStatus['state']) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(state: VaultStatus['state']): void {
    for (const listener of this.#listeners) listener(state)
  }
}
