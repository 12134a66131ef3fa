import { timingSafeEqual } from 'node:crypto'
import { AsyncEntry } from '@napi-rs/keyring'
import { AlcoveError } from '#common/errors.ts'
import { SEED_BYTES } from './hybrid-kem.ts'
import type { SeedProvider } from './providers.ts'

const SERVICE = 'Alcove'
/** A person may have to type the keychain's own password into a dialog. */
const KEYCHAIN_TIMEOUT_MS = 120_000

const DETAIL: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'Secret Service (e.g. gnome-keyring, KWallet)',
  darwin: 'macOS Keychain',
  win32: 'Windows Credential Manager',
}

function entry(id: string): AsyncEntry {
  // Pinned: left to itself the library falls back to the kernel's keyring, which forgets everything at reboot.
  return new AsyncEntry(SERVICE, id, { linux: { store: 'secret-service' } })
}

async function ask<Result>(action: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  try {
    return await action(AbortSignal.timeout(KEYCHAIN_TIMEOUT_MS))
  } catch (cause) {
    throw new AlcoveError(
      'vault/keychain-unavailable',
      `The keychain of this computer (${DETAIL[process.platform] ?? process.platform}) does not answer or is locked. Start and unlock it, or give --passphrase-file.`,
      { cause },
    )
  }
}

export function keychainProvider(): SeedProvider {
  return {
    kind: 'keychain',
    detail: DETAIL[process.platform] ?? 'Keychain',

    async store(seed, identity) {
      await ask((signal) => entry(identity.id).setSecret(seed, signal))
      // A store that accepts and forgets would only be noticed when all the studies are in.
      const back = await ask((signal) => entry(identity.id).getSecret(signal))
      if (back === null || back.length !== seed.length || !timingSafeEqual(Uint8Array.from(back), seed))
        throw new AlcoveError(
          'vault/keychain-unavailable',
          'The keychain did not keep the key it was given. Use --passphrase-file.',
        )
      return { kind: 'keychain' }
    },

    async load(file) {
      const secret = await ask((signal) => entry(file.id).getSecret(signal))
      if (secret === null)
        throw new AlcoveError(
          'vault/key-missing',
          `The keychain holds no key for this data folder (entry "${SERVICE}", ${file.id}). Restore the keychain entry or a key backup; the studies are untouched.`,
        )
      const seed = Uint8Array.from(secret)
      secret.fill(0)
      if (seed.length !== SEED_BYTES)
        throw new AlcoveError('vault/wrong-key', 'The keychain entry of this data folder is not an Alcove key.')
      return seed
    },

    async discard(identity) {
      await ask((signal) => entry(identity.id).deleteCredential(signal))
    },
  }
}
