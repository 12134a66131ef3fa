import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'

/**
 * X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519 under one SHA3-256 combiner. What is sealed stays
 * sealed as long as either of the two holds. This file is the only one that knows which library does it: a native
 * ML-KEM takes its place here.
 */
export const SEED_BYTES = 32
export const PUBLIC_KEY_BYTES = 1216
export const CIPHERTEXT_BYTES = 1120

export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return ml_kem768_x25519.getPublicKey(seed)
}

/**
 * @param encapsulationSeed 32 bytes for ML-KEM and 32 for the ephemeral X25519 key: only for published test vectors;
 *   left out, the system's randomness is used
 */
export function encapsulate(
  publicKey: Uint8Array,
  encapsulationSeed?: Uint8Array,
): { ciphertext: Uint8Array; sharedSecret: Uint8Array } {
  const { cipherText, sharedSecret } = ml_kem768_x25519.encapsulate(publicKey, encapsulationSeed)
  return { ciphertext: cipherText, sharedSecret }
}

/**
 * Never fails on an altered ciphertext of the right length: ML-KEM then gives an unrelated secret (implicit rejection),
 * and the authenticated cipher on top says no.
 */
export function decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return ml_kem768_x25519.decapsulate(ciphertext, seed)
}
