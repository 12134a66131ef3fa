import { describe, expect, it } from 'vitest'
import type * as Electron from 'electron'
import { isAppPage, isAppUrl } from './origin.ts'
import { guardContents, guardSession } from './security.ts'
import { FakeContents, FakeSession } from './testing/fake-electron.ts'

const OWN_PAGES = ['app://alcove/', 'app://alcove/index.html', 'app://alcove/?a=1#/study/1.2', 'APP://alcove/']

const ELSEWHERE = [
  'https://alcove/',
  'http://127.0.0.1:4711/',
  'https://evil.example/app://alcove/',
  'https://evil.example/#app://alcove/',
  'app://alcove.evil.example/',
  'app://evil.example/alcove/',
  'app://alcove@evil.example/',
  'app://evil@alcove/',
  'app://alcove:80@evil.example/',
  'app://alcove:8080/',
  'app://alcove%2eevil/',
  'app://ALCOVE/',
  'app:///alcove/',
  'app:alcove/',
  'apps://alcove/',
  'application://alcove/',
  'view-source:app://alcove/',
  'filesystem:app://alcove/temporary/x',
  'javascript:alert(1)//app://alcove/',
  'data:text/html,<script>location="app://alcove/"</script>',
  'file:///etc/passwd',
  'file://alcove/',
  'about:blank',
  'about:srcdoc',
  'chrome://gpu/',
  'devtools://devtools/bundled/inspector.html',
  'ms-settings:',
  'smb://alcove/',
  'mailto:a@b',
  '//alcove/',
  '',
  'alcove',
  'app://',
]

describe('navigation guard', () => {
  const contents = new FakeContents()
  guardContents(contents as unknown as Electron.WebContents)
  const events = ['will-navigate', 'will-redirect', 'will-frame-navigate'] as const

  it.each(OWN_PAGES)('stays on its own page: %s', (url) => {
    for (const event of events) expect(contents.tryNavigate(event, url)).toBe(true)
  })

  it.each([...ELSEWHERE, 'app://alcove/api/v1/studies', 'app://alcove/dicom-web/studies', 'blob:app://alcove/0-1'])(
    'goes nowhere else: %s',
    (url) => {
      for (const event of events) expect(contents.tryNavigate(event, url)).toBe(false)
    },
  )

  it.each([...OWN_PAGES, ...ELSEWHERE])('opens no window: %s', (url) => {
    expect(contents.tryOpen(url)).toBe('deny')
  })

  it('attaches no guest', () => {
    expect(contents.tryAttachWebview()).toBe(false)
  })
})

describe('isAppUrl', () => {
  it.each(ELSEWHERE)('is not ours: %s', (url) => {
    expect(isAppUrl(url)).toBe(false)
    expect(isAppPage(url)).toBe(false)
  })
  it('takes data addresses, but not as a page', () => {
    expect(isAppUrl('app://alcove/api/v1/studies')).toBe(true)
    expect(isAppPage('app://alcove/api/v1/studies')).toBe(false)
  })
})

describe('session guard', () => {
  function guarded(dev: boolean): { session: FakeSession; requests: (url: string) => boolean } {
    const session = new FakeSession()
    guardSession(session as unknown as Electron.Session, dev)
    const listener = session.handlers['onBeforeRequest'] as (
      details: { url: string },
      answer: (verdict: { cancel: boolean }) => void,
    ) => void
    return {
      session,
      requests: (url) => {
        let cancelled = true
        listener({ url }, ({ cancel }) => (cancelled = cancel))
        return !cancelled
      },
    }
  }

  it.each(['media', 'geolocation', 'notifications', 'midi', 'clipboard-read', 'openExternal', 'hid', 'fileSystem'])(
    'denies the permission %s, asked or checked',
    (permission) => {
      const { session } = guarded(false)
      let answered: boolean | null = null
      const ask = session.handlers['permissionRequest'] as (...args: unknown[]) => void
      ask(null, permission, (granted: boolean) => (answered = granted))
      expect(answered).toBe(false)
      expect((session.handlers['permissionCheck'] as (...args: unknown[]) => boolean)(null, permission)).toBe(false)
    },
  )

  it('denies devices and the screen, and asks no dictionary server', () => {
    const { session } = guarded(false)
    expect((session.handlers['device'] as () => boolean)()).toBe(false)
    let streams: unknown
    ;(session.handlers['displayMedia'] as (...args: unknown[]) => void)({}, (given: unknown) => (streams = given))
    expect(streams).toEqual({})
    expect(session.handlers['spellChecker']).toBe(false)
  })

  it('lets the page reach its own app and what it made itself', () => {
    const { requests } = guarded(false)
    for (const url of ['app://alcove/api/v1/info', 'blob:app://alcove/1-2', 'data:image/png;base64,AA==']) {
      expect(requests(url), url).toBe(true)
    }
  })

  it.each([
    'https://evil.example/',
    'http://127.0.0.1/',
    'ws://127.0.0.1/',
    'file:///etc/passwd',
    'app://evil/',
    'blob:https://x/1',
    'devtools://devtools/',
    '',
  ])('reaches nothing else: %s', (url) => {
    expect(guarded(false).requests(url)).toBe(false)
  })

  it('lets developer tools load in development only', () => {
    expect(guarded(true).requests('devtools://devtools/bundled/x.js')).toBe(true)
  })

  it('downloads only what the app itself offers', () => {
    const { session } = guarded(false)
    const download = (url: string): boolean => {
      let prevented = false
      session.emit('will-download', { preventDefault: () => (prevented = true) }, { getURL: () => url })
      return !prevented
    }
    expect(download('blob:app://alcove/1')).toBe(true)
    expect(download('https://evil.example/x.exe')).toBe(false)
  })
})
