import { describe, expect, it } from 'vitest'
import { chooseShell, type ChooseShellInput, hasDisplay } from './choose-shell.ts'

const EDGE = { path: '/usr/bin/microsoft-edge', name: 'Microsoft Edge', snap: false }

function input(change: Partial<ChooseShellInput> = {}): ChooseShellInput {
  return {
    requested: null,
    platform: 'linux',
    env: { DISPLAY: ':0' },
    electron: async () => ({ executable: null, why: 'github.com cannot be reached' }),
    browser: async () => EDGE,
    ...change,
  }
}
const unwanted = async (): Promise<never> => {
  throw new Error('asked although it does not matter')
}
const installed = async () => ({ executable: '/app/electron' })

describe('chooseShell', () => {
  it('takes Electron where its runtime is', async () => {
    const choice = await chooseShell(input({ electron: installed, browser: unwanted }))
    expect(choice).toEqual({ shell: 'electron', executable: '/app/electron', reason: 'its runtime is installed' })
  })

  it('takes a browser where it is not, and says why', async () => {
    const choice = await chooseShell(input())
    expect(choice).toEqual({ shell: 'chromium', browser: EDGE, reason: 'Electron: github.com cannot be reached' })
  })

  it('serves where there is neither', async () => {
    const choice = await chooseShell(input({ browser: async () => null }))
    expect(choice).toMatchObject({ shell: 'headless', reason: expect.stringContaining('github.com') as unknown })
  })

  it('serves without a display, without looking for anything', async () => {
    const choice = await chooseShell(input({ env: {}, electron: unwanted, browser: unwanted }))
    expect(choice).toMatchObject({ shell: 'headless', reason: expect.stringContaining('no display') as unknown })
  })

  it('does as asked: --shell chromium never touches Electron, --shell headless touches nothing', async () => {
    expect(await chooseShell(input({ requested: 'chromium', electron: unwanted }))).toMatchObject({ shell: 'chromium' })
    expect(await chooseShell(input({ requested: 'headless', electron: unwanted, browser: unwanted }))).toMatchObject({
      shell: 'headless',
    })
  })

  it('fails aloud when what was asked for is not there', async () => {
    await expect(chooseShell(input({ requested: 'electron', browser: unwanted }))).rejects.toMatchObject({
      code: 'shell/unavailable',
      message: expect.stringContaining('github.com cannot be reached') as unknown,
    })
    await expect(chooseShell(input({ requested: 'chromium', browser: async () => null }))).rejects.toMatchObject({
      code: 'shell/unavailable',
      message: expect.stringContaining('ALCOVE_BROWSER') as unknown,
    })
  })

  it.each([
    ['linux', {}, false],
    ['linux', { DISPLAY: '' }, false],
    ['linux', { DISPLAY: ':0' }, true],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, true],
    ['darwin', {}, true],
    ['win32', {}, true],
  ] as const)('display on %s with %j: %s', (platform, env, expected) => {
    expect(hasDisplay(platform, env)).toBe(expected)
  })
})
