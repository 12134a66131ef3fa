import { describe, expect, it } from 'vitest'
import { findBrowser } from './find-browser.ts'

const having =
  (...installed: string[]) =>
  async (path: string) =>
    installed.includes(path)
const plain = async (path: string): Promise<string> => path

describe('findBrowser', () => {
  it.each([
    ['linux', { PATH: '/usr/bin' }, '/usr/bin/google-chrome', 'Google Chrome'],
    ['linux', { PATH: '/home/ada/bin:/usr/bin' }, '/home/ada/bin/chromium', 'Chromium'],
    ['linux', {}, '/usr/bin/microsoft-edge', 'Microsoft Edge'],
    ['darwin', { HOME: '/Users/ada' }, '/Users/ada/Applications/Chromium.app/Contents/MacOS/Chromium', 'Chromium'],
    [
      'win32',
      { 'PROGRAMFILES(X86)': 'C:\\Program Files (x86)' },
      'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
      'Microsoft Edge',
    ],
  ] as const)('finds on %s with %j', async (platform, env, path, name) => {
    const found = await findBrowser({ platform, env, isExecutable: having(path), resolveLinks: plain })
    expect(found).toEqual({ path, name, snap: false })
  })

  it('takes the person’s own choice first', async () => {
    const env = { ALCOVE_BROWSER: '/opt/mine', PATH: '/usr/bin' }
    const found = await findBrowser({
      platform: 'linux',
      env,
      isExecutable: having('/usr/bin/chromium', '/opt/mine'),
      resolveLinks: plain,
    })
    expect(found?.path).toBe('/opt/mine')
  })

  it('never looks into the current folder', async () => {
    const asked: string[] = []
    const env = { PATH: ':.:bin' }
    await findBrowser({ platform: 'linux', env, isExecutable: async (path) => (asked.push(path), false) })
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.filter((path) => !path.startsWith('/'))).toEqual([])
  })

  it('knows a snap, also behind a link', async () => {
    const found = await findBrowser({
      platform: 'linux',
      env: {},
      isExecutable: having('/usr/bin/chromium-browser'),
      resolveLinks: async () => '/usr/bin/snap',
    })
    expect(found?.snap).toBe(true)
  })

  it('is null where there is none', async () => {
    expect(await findBrowser({ platform: 'linux', env: {}, isExecutable: having() })).toBeNull()
  })
})
