import { AsyncEntry } from '@napi-rs/keyring'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlcoveError } from '#common/errors.ts'
import { openVault } from '../open-vault.ts'

/** Runs in a session of its own with a real keychain; prints what happened as JSON. Argument: an empty data folder. */
const dataDir = process.argv[2] ?? ''
const steps: Record<string, unknown> = {}

async function attempt(name: string, action: () => Promise<unknown>): Promise<void> {
  try {
    steps[name] = await action()
  } catch (error) {
    steps[name] = isAlcoveError(error) ? error.code : String(error)
  }
}

const vault = await openVault(dataDir, { createIfMissing: true })
const { id } = JSON.parse(await readFile(join(dataDir, 'vault.json'), 'utf8')) as { id: string }
const entry = new AsyncEntry('Alcove', id, { linux: { store: 'secret-service' } })
const sealed = vault.seal(Uint8Array.of(1, 2, 3), 'c')
steps['provider'] = vault.status().provider
steps['entryBytes'] = (await entry.getSecret())?.length
await attempt('reopened', async () => [...(await openVault(dataDir)).open(sealed, 'c')])
await attempt('relocked', async () => {
  vault.lock()
  await vault.unlock()
  return [...vault.open(sealed, 'c')]
})
await entry.setSecret(new Uint8Array(32).fill(7))
await attempt('foreignKey', () => openVault(dataDir))
await entry.setSecret(new Uint8Array(5))
await attempt('shortKey', () => openVault(dataDir))
await entry.deleteCredential()
await attempt('noKey', () => openVault(dataDir, { createIfMissing: true }))
process.stdout.write(JSON.stringify(steps))
