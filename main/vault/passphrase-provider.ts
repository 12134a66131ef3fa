import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { AlcoveError } from '#common/errors.ts'
import { argon2id, ARGON2ID_PARAMETERS } from './argon2id.ts'
import type { Identity, SeedProvider } from './providers.ts'
import type { Kdf, VaultFile } from './vault-file.ts'

const MINIMUM_PASSPHRASE_LENGTH = 8

/** How the provider comes by the passphrase when it needs it; null when nobody can tell. */
export type AskPassphrase = () => Promise<string | null>

/** What the seal is bound to: an altered public key, id or cost parameter makes it fail to open. */
function associatedData(identity: Identity, kdf: Kdf): Uint8Array {
  return Buffer.from(
    JSON.stringify([
      'alcove/vault-seed/v1',
      identity.id,
      identity.createdAt,
      Buffer.from(identity.publicKey).toString('base64'),
      [kdf.name, kdf.memoryKiB, kdf.passes, kdf.parallelism, Buffer.from(kdf.salt).toString('base64')],
    ]),
  )
}

async function deriveKey(passphrase: string, kdf: Kdf): Promise<Uint8Array> {
  // The same passphrase typed on another keyboard or system may arrive composed differently.
  const bytes = Buffer.from(passphrase.normalize('NFKC'), 'utf8')
  try {
    return await argon2id(bytes, kdf)
  } finally {
    bytes.fill(0)
  }
}

export function passphraseProvider(ask: AskPassphrase): SeedProvider {
  return {
    kind: 'passphrase',
    detail: 'Passphrase (argon2id)',

    async store(seed, identity): Promise<VaultFile['provider']> {
      const passphrase = await ask()
      if (passphrase === null) throw passphraseNeeded()
      if (passphrase.length < MINIMUM_PASSPHRASE_LENGTH)
        throw new AlcoveError('usage/invalid', `The passphrase needs at least ${MINIMUM_PASSPHRASE_LENGTH} characters.`)
      const kdf: Kdf = { name: 'argon2id', ...ARGON2ID_PARAMETERS, salt: new Uint8Array(randomBytes(16)) }
      const key = await deriveKey(passphrase, kdf)
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associatedData(identity, kdf))
      const sealed = Buffer.concat([nonce, cipher.update(seed), cipher.final(), cipher.getAuthTag()])
      key.fill(0)
      return { kind: 'passphrase', kdf, sealedSeed: new Uint8Array(sealed) }
    },

    async load(file): Promise<Uint8Array> {
      if (file.provider.kind !== 'passphrase') throw new TypeError('not a passphrase vault')
      const { kdf, sealedSeed } = file.provider
      const passphrase = await ask()
      if (passphrase === null) throw passphraseNeeded()
      const key = await deriveKey(passphrase, kdf)
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealedSeed.subarray(0, 12))
          .setAAD(associatedData(file, kdf))
          .setAuthTag(sealedSeed.subarray(44))
        const opened = decipher.update(sealedSeed.subarray(12, 44))
        decipher.final()
        const seed = new Uint8Array(opened)
        opened.fill(0)
        return seed
      } catch (cause) {
        throw new AlcoveError('vault/wrong-key', 'The passphrase is wrong, or vault.json was altered.', { cause })
      } finally {
        key.fill(0)
      }
    },

    discard: () => Promise.resolve(),
  }
}

function passphraseNeeded(): AlcoveError {
  return new AlcoveError(
    'vault/locked',
    'This data folder is protected by a passphrase: enter it, or give --passphrase-file.',
  )
}
