import { describe, expect, it } from 'vitest'
import { argon2id, ARGON2ID_PARAMETERS, argon2idNative, argon2idPortable, hasNativeArgon2 } from './argon2id.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('argon2id', () => {
  // Reference implementation's own test (phc-winner-argon2, src/test.c, version 0x13, Argon2id): t=2, m=2^16, p=1.
  it('agrees with the reference implementation', async () => {
    const parameters = { memoryKiB: 65_536, passes: 2, parallelism: 1, salt: new TextEncoder().encode('somesalt') }
    expect(hex(await argon2id(new TextEncoder().encode('password'), parameters))).toBe(
      '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7',
    )
  })

  it.skipIf(!hasNativeArgon2)('native and portable code agree', async () => {
    for (const [memoryKiB, passes, parallelism] of [
      [64, 1, 1],
      [256, 3, 1],
      [512, 2, 4],
    ] as const) {
      const parameters = { memoryKiB, passes, parallelism, salt: new Uint8Array(16).fill(passes) }
      const passphrase = new TextEncoder().encode('correct horse')
      expect(await argon2idNative(passphrase, parameters)).toEqual(await argon2idPortable(passphrase, parameters))
    }
  })

  it('costs at least what OWASP asks (19 MiB, 2 passes)', () => {
    expect(ARGON2ID_PARAMETERS.memoryKiB).toBeGreaterThanOrEqual(19 * 1024)
    expect(ARGON2ID_PARAMETERS.passes).toBeGreaterThanOrEqual(2)
  })
})
