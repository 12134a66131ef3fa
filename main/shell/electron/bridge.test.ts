import { describe, expect, it } from 'vitest'
import type * as Electron from 'electron'
import { BRIDGE_REQUESTS } from '#common/contract/bridge.ts'
import { answerBridge } from './bridge.ts'
import { FakeContents, FakeWindow, fakeElectron } from './testing/fake-electron.ts'

function bridged(chosen: string[] = []) {
  const electron = fakeElectron()
  const window = new FakeWindow({})
  const imported: string[][] = []
  answerBridge(electron.module.ipcMain, () => window as unknown as Electron.BrowserWindow, {
    importPaths: (paths) => void imported.push(paths),
    chooseImport: async () => chosen,
  })
  const own = { sender: window.webContents, senderFrame: window.webContents.mainFrame }
  return { electron, window, imported, own }
}

describe('answerBridge', () => {
  it('imports what was chosen or dropped', async () => {
    const { electron, imported, own } = bridged(['/a', '/b'])
    expect(await electron.invoke('alcove:import-dialog', ['folder'], own)).toBe(2)
    expect(await electron.invoke('alcove:import-paths', [['/c']], own)).toBe(1)
    expect(imported).toEqual([['/a', '/b'], ['/c']])
  })

  it('starts no import when nothing was chosen', async () => {
    const { electron, imported, own } = bridged([])
    expect(await electron.invoke('alcove:import-dialog', ['files'], own)).toBe(0)
    expect(await electron.invoke('alcove:import-paths', [[]], own)).toBe(0)
    expect(imported).toEqual([])
  })

  it('moves the window', async () => {
    const { electron, window, own } = bridged()
    for (const action of ['minimize', 'toggle-maximize', 'toggle-maximize', 'close']) {
      await electron.invoke('alcove:window', [action], own)
    }
    expect(window.did).toEqual(['minimize', 'maximize', 'unmaximize', 'close'])
    await electron.invoke('alcove:window', ['toggle-full-screen'], own)
    expect(window.fullScreen).toBe(true)
  })

  it.each([
    ['alcove:import-dialog', ['anything']],
    ['alcove:import-dialog', []],
    ['alcove:import-dialog', ['files', 'more']],
    ['alcove:import-paths', ['/a']],
    ['alcove:import-paths', [['relative/path']]],
    ['alcove:import-paths', [['']]],
    ['alcove:import-paths', [[42]]],
    ['alcove:import-paths', [[`/${'x'.repeat(40_000)}`]]],
    ['alcove:window', ['destroy']],
    ['alcove:window', [{ toString: 'close' }]],
    ['alcove:window', ['__proto__']],
  ])('refuses %s %j', async (channel, args) => {
    const { electron, imported, window, own } = bridged(['/a'])
    await expect(electron.invoke(channel, args, own)).rejects.toMatchObject({ code: 'request/invalid' })
    expect(imported).toEqual([])
    expect(window.did).toEqual([])
  })

  it.each(BRIDGE_REQUESTS)('answers only its own top frame: %s', async (channel) => {
    const { electron, own } = bridged(['/a'])
    const foreign = new FakeContents()
    foreign.mainFrame.url = 'https://evil.example/'
    const askers = [
      { sender: own.sender, senderFrame: { url: 'app://alcove/' } },
      { sender: own.sender, senderFrame: null },
      { sender: foreign, senderFrame: foreign.mainFrame },
      { sender: foreign, senderFrame: { url: 'about:srcdoc' } },
    ]
    for (const from of askers) {
      await expect(electron.invoke(channel, ['files'], from)).rejects.toMatchObject({ code: 'auth/forbidden' })
    }
  })
})
