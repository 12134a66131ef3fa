import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openVault } from './open-vault.ts'

function installed(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const canRun = process.platform === 'linux' && installed('gnome-keyring-daemon') && installed('dbus-run-session')
if (!canRun) process.stderr.write('SKIPPED: keychain tests need gnome-keyring-daemon and dbus-run-session.\n')

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'alcove-keychain-'))
})
afterEach(() => rm(home, { recursive: true, force: true, maxRetries: 5 }))

describe.skipIf(!canRun)('the keychain (a real gnome-keyring)', () => {
  it('keeps the seed under the folder id; a foreign, a broken and a missing entry are told apart', async () => {
    const child = join(import.meta.dirname, 'testing', 'keychain-child.ts')
    const script = `printf pw | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null; sleep 1; exec "$0" "$1" "$2"`
    const { stdout } = await promisify(execFile)(
      'dbus-run-session',
      ['--', 'bash', '-c', script, process.execPath, child, join(home, 'data')],
      {
        env: { ...process.env, HOME: home, XDG_DATA_HOME: join(home, 'share'), XDG_RUNTIME_DIR: home },
        timeout: 60_000,
      },
    )
    expect(JSON.parse(stdout)).toEqual({
      provider: 'keychain',
      entryBytes: 32,
      reopened: [1, 2, 3],
      relocked: [1, 2, 3],
      foreignKey: 'vault/wrong-key',
      shortKey: 'vault/wrong-key',
      noKey: 'vault/key-missing',
    })
  }, 90_000)
})

describe.skipIf(process.platform !== 'linux')('no keychain', () => {
  it('is said, with the way out, and leaves nothing behind', async () => {
    const before = process.env['DBUS_SESSION_BUS_ADDRESS']
    process.env['DBUS_SESSION_BUS_ADDRESS'] = `unix:path=${home}/nothing-here`
    try {
      const opening = openVault(join(home, 'data'), { createIfMissing: true, provider: 'keychain' })
      await expect(opening).rejects.toMatchObject({ code: 'vault/keychain-unavailable' })
      await expect(opening).rejects.toThrow(/--passphrase-file/)
      expect(await readdir(join(home, 'data'))).toEqual([])
    } finally {
      if (before === undefined) delete process.env['DBUS_SESSION_BUS_ADDRESS']
      else process.env['DBUS_SESSION_BUS_ADDRESS'] = before
    }
  })
})
