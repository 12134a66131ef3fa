import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openVault } from './open-vault.ts'
import { ensurePassphraseFile, readPassphraseFile } from './passphrase-file.ts'

const passphrase = 'correct horse battery'
let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'alcove-vault-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

interface VaultJson {
  format: number
  id: string
  publicKey: string
  provider: { kdf: { passes: number; memoryKiB: number } }
}

async function edit(change: (file: VaultJson) => void): Promise<void> {
  const path = join(dataDir, 'vault.json')
  const file = JSON.parse(await readFile(path, 'utf8')) as VaultJson
  change(file)
  await writeFile(path, JSON.stringify(file))
}

describe('a vault under a passphrase', () => {
  it('opens again what it sealed', async () => {
    const first = await openVault(dataDir, { createIfMissing: true, passphrase })
    const sealed = first.seal(Uint8Array.of(1, 2, 3), 'c')
    const again = await openVault(dataDir, { passphrase })
    expect(again.open(sealed, 'c')).toEqual(Uint8Array.of(1, 2, 3))
    expect(again.status()).toEqual(first.status())
    expect(again.status()).toMatchObject({ state: 'unlocked', provider: 'passphrase' })
  })

  it('writes one file its owner alone can read, with neither seed nor passphrase in it', async () => {
    await openVault(dataDir, { createIfMissing: true, passphrase })
    expect(await readdir(dataDir)).toEqual(['vault.json'])
    expect((await stat(join(dataDir, 'vault.json'))).mode & 0o777).toBe(0o600)
    const content = await readFile(join(dataDir, 'vault.json'), 'utf8')
    expect(content).not.toContain(passphrase)
    expect(Object.keys(JSON.parse(content) as object).sort()).toEqual([
      'createdAt',
      'format',
      'id',
      'provider',
      'publicKey',
    ])
  })

  it('refuses a wrong passphrase, none, and too short a new one', async () => {
    await expect(openVault(dataDir, { createIfMissing: true, passphrase: 'short' })).rejects.toMatchObject({
      code: 'usage/invalid',
    })
    await openVault(dataDir, { createIfMissing: true, passphrase })
    const before = await readFile(join(dataDir, 'vault.json'))
    await expect(openVault(dataDir, { createIfMissing: true, passphrase: `${passphrase}!` })).rejects.toMatchObject({
      code: 'vault/wrong-key',
    })
    await expect(openVault(dataDir, { createIfMissing: true })).rejects.toMatchObject({ code: 'vault/locked' })
    await expect(openVault(dataDir, { createIfMissing: true, provider: 'keychain', passphrase })).rejects.toMatchObject(
      { code: 'usage/invalid' },
    )
    expect(await readFile(join(dataDir, 'vault.json'))).toEqual(before)
  })

  it('notices an altered file: another identity, other costs, another seal, no JSON, a newer format', async () => {
    const other = await mkdtemp(join(tmpdir(), 'alcove-vault-'))
    await openVault(other, { createIfMissing: true, passphrase })
    const strange = JSON.parse(await readFile(join(other, 'vault.json'), 'utf8')) as VaultJson
    await rm(other, { recursive: true })
    await openVault(dataDir, { createIfMissing: true, passphrase })
    const original = await readFile(join(dataDir, 'vault.json'))
    const changes: [string, (file: VaultJson) => void][] = [
      ['vault/wrong-key', (file) => (file.publicKey = strange.publicKey)],
      ['vault/wrong-key', (file) => (file.id = strange.id)],
      ['vault/wrong-key', (file) => (file.provider.kdf.passes = 2)],
      ['vault/wrong-key', (file) => (file.provider = strange.provider)],
      ['vault/corrupt', (file) => (file.provider.kdf.memoryKiB = 2 ** 40)],
      ['vault/corrupt', (file) => (file.publicKey = 'AAAA')],
      ['store/newer-version', (file) => (file.format = 2)],
    ]
    for (const [code, change] of changes) {
      await edit(change)
      await expect(openVault(dataDir, { passphrase }), String(change)).rejects.toMatchObject({ code })
      await writeFile(join(dataDir, 'vault.json'), original)
    }
    await writeFile(join(dataDir, 'vault.json'), '{')
    await expect(openVault(dataDir, { passphrase })).rejects.toMatchObject({ code: 'vault/corrupt' })
  }, 60_000)

  it('never makes a new identity beside encrypted data', async () => {
    await expect(openVault(dataDir, { passphrase })).rejects.toMatchObject({ code: 'not-found' })
    await mkdir(join(dataDir, 'studies'))
    await writeFile(join(dataDir, 'studies', 'x.db'), '')
    await expect(openVault(dataDir, { createIfMissing: true, passphrase })).rejects.toMatchObject({
      code: 'vault/key-missing',
    })
    await rm(join(dataDir, 'studies'), { recursive: true })
    await writeFile(join(dataDir, 'catalogue.db'), '')
    await expect(openVault(dataDir, { createIfMissing: true, passphrase })).rejects.toMatchObject({
      code: 'vault/key-missing',
    })
    expect(await readdir(dataDir)).toEqual(['catalogue.db'])
  })

  it('two processes that start at once share one identity', async () => {
    const vaults = await Promise.all([1, 2, 3].map(() => openVault(dataDir, { createIfMissing: true, passphrase })))
    const sealed = vaults[0]!.seal(Uint8Array.of(7), 'c')
    for (const vault of vaults) expect(vault.open(sealed, 'c')).toEqual(Uint8Array.of(7))
  })

  it('seals while locked and opens only when unlocked', async () => {
    await openVault(dataDir, { createIfMissing: true, passphrase })
    const vault = await openVault(dataDir, { startLocked: true })
    const states: string[] = []
    vault.onStateChange((state) => states.push(state))
    expect(vault.status().state).toBe('locked')
    const sealed = vault.seal(Uint8Array.of(9), 'c')
    expect(() => vault.open(sealed, 'c')).toThrow(expect.objectContaining({ code: 'vault/locked' }))
    await expect(vault.unlock('something else')).rejects.toMatchObject({ code: 'vault/wrong-key' })
    await vault.unlock(passphrase)
    expect(vault.open(sealed, 'c')).toEqual(Uint8Array.of(9))
    vault.lock()
    expect(() => vault.open(sealed, 'c')).toThrow(expect.objectContaining({ code: 'vault/locked' }))
    await expect(vault.unlock()).rejects.toMatchObject({ code: 'vault/locked' })
    expect(states).toEqual(['unlocked', 'locked'])
  })

  it('asks again at each unlock when it was given a way to ask', async () => {
    let asked = 0
    const ask = () => Promise.resolve((asked++, passphrase))
    const vault = await openVault(dataDir, { createIfMissing: true, passphrase: ask })
    vault.lock()
    await vault.unlock()
    expect(vault.status().state).toBe('unlocked')
    expect(asked).toBe(3)
  })
})

describe('a passphrase file', () => {
  it('is made once, readable by its owner alone, and read back', async () => {
    const path = join(dataDir, 'passphrase')
    const made = await ensurePassphraseFile(path)
    expect(made.created).toBe(true)
    expect(made.passphrase.length).toBe(32)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await ensurePassphraseFile(path)).toEqual({ passphrase: made.passphrase, created: false })
    await writeFile(path, 'first line\r\nsecond')
    expect(await readPassphraseFile(path)).toBe('first line')
    await writeFile(path, '\n')
    await expect(readPassphraseFile(path)).rejects.toMatchObject({ code: 'usage/invalid' })
  })
})
