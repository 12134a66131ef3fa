import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { AlcoveError } from '#common/errors.ts'
import { CIPHERTEXT_BYTES, decapsulate, encapsulate } from './hybrid-kem.ts'
import type { SealedKey } from './types.ts'

/**
 * Sealed bytes, version 1: 1 version | 1120 X-Wing ciphertext | 12 nonce | n AES-256-GCM ciphertext | 16 tag.
 * The AES key is HKDF-SHA256(shared secret, info = "alcove/seal/v1" NUL context); the version byte and the X-Wing
 * ciphertext are the associated data, so that no part can be exchanged for another's.
 */
const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + CIPHERTEXT_BYTES
export const SEAL_OVERHEAD_BYTES = HEAD_BYTES + NONCE_BYTES + TAG_BYTES

function sealingKey(sharedSecret: Uint8Array, context: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', sharedSecret, new Uint8Array(0), `alcove/seal/v1\0${context}`, 32))
}

/** Needs no secret: a locked workstation seals what it receives. `context` must be given again to open. */
export function sealTo(publicKey: Uint8Array, secret: Uint8Array, context: string): SealedKey {
  const { ciphertext, sharedSecret } = encapsulate(publicKey)
  const key = sealingKey(sharedSecret, context)
  const sealed = new Uint8Array(SEAL_OVERHEAD_BYTES + secret.length)
  sealed[0] = VERSION
  sealed.set(ciphertext, 1)
  const nonce = randomBytes(NONCE_BYTES)
  sealed.set(nonce, HEAD_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(sealed.subarray(0, HEAD_BYTES))
  sealed.set(cipher.update(secret), HEAD_BYTES + NONCE_BYTES)
  cipher.final()
  sealed.set(cipher.getAuthTag(), sealed.length - TAG_BYTES)
  key.fill(0)
  sharedSecret.fill(0)
  return sealed as SealedKey
}

/** @throws AlcoveError vault/wrong-key (sealed to another identity, for another context, or altered), vault/corrupt (not sealed bytes of a known version) */
export function openSealed(seed: Uint8Array, sealed: Uint8Array, context: string): Uint8Array {
  if (sealed.length < SEAL_OVERHEAD_BYTES || sealed[0] !== VERSION)
    throw new AlcoveError('vault/corrupt', 'A sealed key is damaged, or was written by a newer Alcove.')
  const sharedSecret = decapsulate(seed, sealed.subarray(1, HEAD_BYTES))
  const key = sealingKey(sharedSecret, context)
  const body = HEAD_BYTES + NONCE_BYTES
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(HEAD_BYTES, body))
      .setAAD(sealed.subarray(0, HEAD_BYTES))
      .setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    const opened = decipher.update(sealed.subarray(body, sealed.length - TAG_BYTES))
    decipher.final()
    const secret = new Uint8Array(opened)
    opened.fill(0)
    return secret
  } catch (cause) {
    throw new AlcoveError(
      'vault/wrong-key',
      'A key does not open with this identity: it was sealed for another workstation or purpose, or it was altered.',
      { cause },
    )
  } finally {
    key.fill(0)
    sharedSecret.fill(0)
  }
}
