import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AlcoveError } from '#common/errors.ts'
import type { AppServices } from '../app-services.ts'
import { runElectronApp } from './app.ts'
import type { Launch } from './arguments.ts'
import { type FakeElectron, fakeElectron } from './testing/fake-electron.ts'

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'alcove-electron-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

interface Started {
  electron: FakeElectron
  imported: string[][]
  opened: string[]
  closes: () => number
}

async function start(
  args: string[] = [],
  options: { electron?: FakeElectron; open?: () => Promise<void>; dev?: boolean } = {},
): Promise<Started> {
  const electron = options.electron ?? fakeElectron()
  const imported: string[][] = []
  const opened: string[] = []
  let closes = 0
  const services: AppServices = {
    handler: async (request) => new Response(`asked ${new URL(request.url).pathname}`),
    importPaths: (paths) => void imported.push(paths),
    openStudy: (study) => void opened.push(study),
    close: async () => void closes++,
  }
  await runElectronApp({
    electron: electron.module,
    args: ['--data-dir', dataDir, ...args],
    cwd: '/work',
    dataDir: (flag) => flag ?? '/nowhere',
    openServices: async () => {
      await options.open?.()
      return services
    },
    preload: '/app/preload/index.cjs',
    dev: options.dev ?? false,
  })
  return { electron, imported, opened, closes: () => closes }
}

describe('runElectronApp', () => {
  it('does what Electron wants before "ready" before it', async () => {
    const { electron } = await start()
    const ready = electron.order.indexOf('ready')
    for (const step of ['setPath', 'enableSandbox', 'appendSwitch', 'registerSchemes', 'lock']) {
      expect(electron.order.indexOf(step), step).toBeGreaterThanOrEqual(0)
      expect(electron.order.lastIndexOf(step), step).toBeLessThan(ready)
    }
    expect(electron.order.indexOf('setPath')).toBeLessThan(electron.order.indexOf('lock'))
    expect(electron.paths).toEqual({ userData: join(dataDir, 'electron') })
    expect(electron.switches).toContain('disable-background-networking')
  })

  it('registers one scheme: standard, secure, streaming, without CORS', async () => {
    const { electron } = await start()
    expect(electron.privileged).toEqual([
      {
        scheme: 'app',
        privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, corsEnabled: false },
      },
    ])
  })

  it('opens one sandboxed, isolated window whose session is in memory only', async () => {
    const { electron } = await start()
    expect(electron.windows).toHaveLength(1)
    const { webPreferences, show } = electron.windows[0]!.options
    expect(show).toBe(false)
    expect(webPreferences).toEqual({
      preload: '/app/preload/index.cjs',
      session: electron.session,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      safeDialogs: true,
      spellcheck: false,
      devTools: false,
    })
    expect(electron.partitions).toEqual([['alcove', { cache: false }]])
    expect(electron.windows[0]!.loaded).toBe('app://alcove/')
  })

  it('offers developer tools and reload in development only', async () => {
    const roles = (electron: FakeElectron): unknown[] =>
      electron
        .menu()
        .flatMap((entry) => (entry.submenu as { role?: string }[] | undefined)?.map(({ role }) => role) ?? [])
    const packaged = await start()
    expect(roles(packaged.electron)).not.toContain('toggleDevTools')
    expect(roles(packaged.electron)).not.toContain('reload')
    const dev = await start([], { dev: true })
    expect(roles(dev.electron)).toContain('toggleDevTools')
    expect(dev.electron.windows[0]!.options.webPreferences?.devTools).toBe(true)
  })

  it('starts nothing when another one holds the lock', async () => {
    const electron = fakeElectron({ lock: false })
    let openedServices = false
    await start([], { electron, open: async () => void (openedServices = true) })
    expect(electron.app.quits).toBe(1)
    expect(openedServices).toBe(false)
    expect(electron.windows).toEqual([])
  })

  it('takes over what a second start was asked to do, and comes forward', async () => {
    const { electron, imported, opened } = await start()
    electron.windows[0]!.minimized = true
    const launch: Launch = { dataDir: null, passphraseFile: null, openStudy: '1.2.3', paths: ['/data/ct'] }
    electron.app.emit('second-instance', {}, ['electron'], '/', launch)
    expect(imported).toEqual([['/data/ct']])
    expect(opened).toEqual(['1.2.3'])
    expect(electron.windows[0]!.did.slice(-2)).toEqual(['restore', 'focus'])
  })

  it.each([null, 'paths', { paths: ['relative/path'] }, { paths: 'x', dataDir: null }])(
    'ignores a second start that says nonsense: %j',
    async (data) => {
      const { electron, imported } = await start()
      electron.app.emit('second-instance', {}, [], '/', data)
      expect(imported).toEqual([])
    },
  )

  it('imports what it was started with, and what the system hands over before it is ready', async () => {
    const electron = fakeElectron()
    const { imported } = await start(['scan.zip', '--no-sandbox'], {
      electron,
      open: async () => void electron.app.emit('open-file', { preventDefault: () => undefined }, '/mac/drop.dcm'),
    })
    expect(imported).toEqual([['/work/scan.zip'], ['/mac/drop.dcm']])
  })

  it('opens on the study asked for, and only on a UID', async () => {
    const asked = await start(['--open', '1.2.840.1'])
    expect(asked.electron.windows[0]!.loaded).toBe('app://alcove/#/study/1.2.840.1')
    const odd = await start(['--open', '1.2/../../x'])
    expect(odd.electron.windows[0]!.loaded).toBe('app://alcove/')
  })

  it('says why it cannot start, without a window', async () => {
    const electron = fakeElectron()
    await start([], {
      electron,
      open: async () => {
        throw new AlcoveError('vault/key-missing', 'The key of this data folder is not in the keychain.')
      },
    })
    expect(electron.dialogs.errors).toEqual(['The key of this data folder is not in the keychain.'])
    expect(electron.app.exits).toEqual([1])
    expect(electron.windows).toEqual([])
  })

  it('closes the workstation before it goes, once', async () => {
    const { electron, closes } = await start()
    electron.app.emit('window-all-closed')
    expect(electron.app.quits).toBe(0)
    await new Promise((resolve) => setTimeout(resolve))
    expect(electron.app.quits).toBe(1)
    expect(closes()).toBe(1)
  })

  it('imports from the File menu and tells the page of the others', async () => {
    const electron = fakeElectron({ chosen: ['/data/folder'] })
    const { imported } = await start([], { electron })
    const items = electron.menu().flatMap((entry) => (entry.submenu as { label?: string; click?: () => void }[]) ?? [])
    items.find(({ label }) => label === 'Import F&older…')!.click!()
    items.find(({ label }) => label === '&Worklist')!.click!()
    await new Promise((resolve) => setTimeout(resolve))
    expect(electron.dialogs.open).toEqual([
      expect.objectContaining({ properties: ['openDirectory', 'multiSelections'] }) as unknown,
    ])
    expect(imported).toEqual([['/data/folder']])
    expect(electron.windows[0]!.webContents.sent).toEqual([['alcove:menu', 'worklist']])
  })

  it('remembers where the window was, unless that screen is gone', async () => {
    const first = await start()
    first.electron.windows[0]!.maximized = false
    first.electron.windows[0]!.close()
    const file = join(dataDir, 'electron', 'window.json')
    await expect.poll(() => readFile(file, 'utf8').catch(() => '')).toContain('1400')
    const second = await start()
    expect(second.electron.windows[0]!.options).toMatchObject({ x: 10, y: 20, width: 1400, height: 900 })
    expect(second.electron.windows[0]!.did).toEqual(['show'])

    await mkdir(join(dataDir, 'electron'), { recursive: true })
    await writeFile(file, JSON.stringify({ x: 5000, y: 0, width: 1400, height: 900, maximized: false }))
    const third = await start()
    expect(third.electron.windows[0]!.options.x).toBeUndefined()
    expect(third.electron.windows[0]!.did).toEqual(['maximize', 'show'])
  })
})
