import * as crypto from 'node:crypto'
import { argon2idAsync } from '@noble/hashes/argon2.js'
import type { Kdf } from './vault-file.ts'

/** RFC 9106 section 4, second recommended option: 64 MiB, 3 passes; one lane, since not every runtime has threads for more. */
export const ARGON2ID_PARAMETERS = { memoryKiB: 65_536, passes: 3, parallelism: 1 } as const

type Parameters = Omit<Kdf, 'name'>

/** Node ≥ 24.7 has it, Electron's BoringSSL does not. */
export const hasNativeArgon2 = typeof (crypto as { argon2?: unknown }).argon2 === 'function'

export function argon2idNative(passphrase: Uint8Array, parameters: Parameters, length = 32): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    crypto.argon2(
      'argon2id',
      {
        message: passphrase,
        nonce: parameters.salt,
        memory: parameters.memoryKiB,
        passes: parameters.passes,
        parallelism: parameters.parallelism,
        tagLength: length,
      },
      (error, key) => (error ? reject(error) : resolve(new Uint8Array(key))),
    )
  })
}

export function argon2idPortable(passphrase: Uint8Array, parameters: Parameters, length = 32): Promise<Uint8Array> {
  return argon2idAsync(passphrase, parameters.salt, {
    m: parameters.memoryKiB,
    t: parameters.passes,
    p: parameters.parallelism,
    dkLen: length,
  })
}

export function argon2id(passphrase: Uint8Array, parameters: Parameters): Promise<Uint8Array> {
  return hasNativeArgon2 ? argon2idNative(passphrase, parameters) : argon2idPortable(passphrase, parameters)
}
