import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decapsulate, encapsulate, publicKeyOf } from './hybrid-kem.ts'
import { openSealed, SEAL_OVERHEAD_BYTES, sealTo } from './seal.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('X-Wing', () => {
  // draft-connolly-cfrg-xwing-kem-10, appendix C, first vector; pk and ct by their SHA-256.
  const seed = hex('7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26')
  const eseed = hex(
    '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e235b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2',
  )
  const sharedSecret = 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384'

  it('agrees with the draft', () => {
    const publicKey = publicKeyOf(seed)
    expect(sha256(publicKey)).toBe('2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb')
    const sealed = encapsulate(publicKey, eseed)
    expect(sha256(sealed.ciphertext)).toBe('17cd532d657e44c897ca6583e548a5424fc70bf54f99515a4d2bcf99e3469f33')
    expect(Buffer.from(sealed.sharedSecret).toString('hex')).toBe(sharedSecret)
    expect(Buffer.from(decapsulate(seed, sealed.ciphertext)).toString('hex')).toBe(sharedSecret)
  })
})

describe('seal', () => {
  const seed = Uint8Array.from(randomBytes(32))
  const publicKey = publicKeyOf(seed)
  const secret = Uint8Array.from(randomBytes(32))

  it('opens with the seed and the context it was made with, to 1 + 1120 + 12 + n + 16 bytes', () => {
    const sealed = sealTo(publicKey, secret, 'study-key:a')
    expect(sealed.length).toBe(1 + 1120 + 12 + 32 + 16)
    expect(SEAL_OVERHEAD_BYTES).toBe(1149)
    expect(openSealed(seed, sealed, 'study-key:a')).toEqual(secret)
  })

  it('is different each time', () => {
    expect(sealTo(publicKey, secret, 'x')).not.toEqual(sealTo(publicKey, secret, 'x'))
  })

  it('does not open for another context or with another seed', () => {
    const sealed = sealTo(publicKey, secret, 'study-key:a')
    expect(() => openSealed(seed, sealed, 'study-key:b')).toThrow(expect.objectContaining({ code: 'vault/wrong-key' }))
    const other = Uint8Array.from(randomBytes(32))
    expect(() => openSealed(other, sealed, 'study-key:a')).toThrow(expect.objectContaining({ code: 'vault/wrong-key' }))
  })

  it.each([1, 600, 1120, 1121, 1133, 1160, 1180])('does not open with byte %i altered', (at) => {
    const sealed = sealTo(publicKey, secret, 'c')
    sealed[at]! ^= 1
    expect(() => openSealed(seed, sealed, 'c')).toThrow(expect.objectContaining({ code: 'vault/wrong-key' }))
  })

  it('calls an unknown version or too few bytes damaged', () => {
    const sealed = sealTo(publicKey, secret, 'c')
    expect(() => openSealed(seed, sealed.subarray(0, 1148), 'c')).toThrow(
      expect.objectContaining({ code: 'vault/corrupt' }),
    )
    sealed[0] = 2
    expect(() => openSealed(seed, sealed, 'c')).toThrow(expect.objectContaining({ code: 'vault/corrupt' }))
  })
})
