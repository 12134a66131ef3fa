import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settingsSchema } from '#common/contract/settings.ts'
import { resolveDataDir } from './data-dir.ts'
import { openJsonStore } from './json-store.ts'

describe('resolveDataDir', () => {
  const home = '/home/ada'
  it.each([
    [{ flag: '/x', env: { ALCOVE_HOME: '/y' }, home }, '/x'],
    [{ env: { ALCOVE_HOME: '/y' }, home }, '/y'],
    [{ env: {}, platform: 'linux', home } as const, '/home/ada/.local/share/alcove'],
    [{ env: { XDG_DATA_HOME: '/data' }, platform: 'linux', home } as const, '/data/alcove'],
    [{ env: { XDG_DATA_HOME: 'relative' }, platform: 'linux', home } as const, '/home/ada/.local/share/alcove'],
    [{ env: {}, platform: 'darwin', home: '/Users/ada' } as const, '/Users/ada/Library/Application Support/Alcove'],
    [{ env: { LOCALAPPDATA: 'C:\\L' }, platform: 'win32', home } as const, 'C:\\L\\Alcove'],
  ])('%j → %s', (input, expected) => {
    expect(resolveDataDir(input)).toBe(expected)
  })
})

describe('openJsonStore', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alcove-config-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('starts with defaults, keeps changes, leaves no temporary file and no open permissions', async () => {
    const file = join(folder, 'a', 'settings.json')
    const store = await openJsonStore(file, settingsSchema)
    expect(store.get()).toEqual({ cipher: 'aegis-256', providerOrder: null, renderBackend: 'auto' })
    await Promise.all([store.update({ cipher: 'sqlcipher' }), store.update({ renderBackend: 'cpu' })])
    const again = await openJsonStore(file, settingsSchema)
    expect(again.get()).toEqual({ cipher: 'sqlcipher', providerOrder: null, renderBackend: 'cpu' })
    expect(await readdir(join(folder, 'a'))).toEqual(['settings.json'])
    expect((await stat(file)).mode & 0o077).toBe(0)
  })

  it('refuses a bad value and keeps the old one', async () => {
    const store = await openJsonStore(join(folder, 'b.json'), settingsSchema)
    await expect(store.update({ cipher: 'rot13' as never })).rejects.toMatchObject({ code: 'request/invalid' })
    expect(store.get().cipher).toBe('aegis-256')
  })

  it.each(['{', '{"cipher":"rot13"}'])('names a file it cannot use and leaves it alone: %s', async (text) => {
    const file = join(folder, 'bad.json')
    await writeFile(file, text)
    await expect(openJsonStore(file, settingsSchema)).rejects.toMatchObject({ code: 'store/corrupt' })
    await expect(openJsonStore(file, settingsSchema)).rejects.toThrow(file)
    expect(await readFile(file, 'utf8')).toBe(text)
  })
})
