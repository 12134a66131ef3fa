import { beforeAll, describe, expect, it, vi } from 'vitest'
import { BRIDGE_EVENTS, BRIDGE_REQUESTS, type AlcoveBridge } from '#common/contract/bridge.ts'

const seen = vi.hoisted(() => ({
  exposed: {} as Record<string, unknown>,
  invoked: [] as unknown[][],
  listeners: new Map<string, ((...args: unknown[]) => void)[]>(),
}))

vi.mock('electron', () => ({
  contextBridge: {
    exposeInMainWorld: (name: string, api: unknown) => (seen.exposed[name] = api),
  },
  ipcRenderer: {
    invoke: async (...args: unknown[]) => (seen.invoked.push(args), 1),
    on: (channel: string, listener: (...args: unknown[]) => void) =>
      seen.listeners.set(channel, [...(seen.listeners.get(channel) ?? []), listener]),
    removeListener: (channel: string, listener: (...args: unknown[]) => void) =>
      seen.listeners.set(
        channel,
        (seen.listeners.get(channel) ?? []).filter((one) => one !== listener),
      ),
  },
  webUtils: { getPathForFile: (file: { path: string }) => file.path },
}))

describe('preload', () => {
  let bridge: AlcoveBridge
  beforeAll(async () => {
    await import('./index.ts')
    bridge = seen.exposed['alcove'] as AlcoveBridge
  })

  it('exposes one object without Electron in it', () => {
    expect(Object.keys(seen.exposed)).toEqual(['alcove'])
    expect(Object.keys(bridge).sort()).toEqual(
      ['importDialog', 'importPaths', 'onMenu', 'pathOfFile', 'shell', 'windowAction'].sort(),
    )
  })

  it('asks on the typed channels only', async () => {
    await bridge.importDialog('folder')
    await bridge.importPaths(['/a'])
    await bridge.windowAction('minimize')
    expect(seen.invoked).toEqual([
      ['alcove:import-dialog', 'folder'],
      ['alcove:import-paths', ['/a']],
      ['alcove:window', 'minimize'],
    ])
    expect(seen.invoked.map(([channel]) => channel)).toEqual([...BRIDGE_REQUESTS])
  })

  it('gives the page the payload and never the event, until it has unsubscribed', () => {
    const heard: unknown[][] = []
    const stop = bridge.onMenu((...args) => heard.push(args))
    expect([...seen.listeners.keys()]).toEqual([...BRIDGE_EVENTS])
    const emit = (): void =>
      seen.listeners.get('alcove:menu')!.forEach((listener) => listener({ sender: 'ipc' }, 'about'))
    emit()
    stop()
    emit()
    expect(heard).toEqual([['about']])
  })

  it('tells the real path of a dropped file, or null for one in memory', () => {
    expect(bridge.pathOfFile({ path: '/data/ct' })).toBe('/data/ct')
    expect(bridge.pathOfFile({ path: '' })).toBeNull()
  })
})
