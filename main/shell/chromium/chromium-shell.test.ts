import { readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createChromiumShell } from './chromium-shell.ts'
import { findBrowser } from './find-browser.ts'
import type { FetchHandler } from '../types.ts'

const browser = await findBrowser()
const OPEN_MS = 60_000

/** A page that reports what it sees to its own server. */
function reportingPage(): { handler: FetchHandler; report: Promise<Record<string, unknown>> } {
  const report = Promise.withResolvers<Record<string, unknown>>()
  const script = `fetch('/report' + location.search, { method: 'POST', body: JSON.stringify({
    href: location.href, cookie: document.cookie, referrer: document.referrer,
    webgl: document.createElement('canvas').getContext('webgl2') !== null }) })`
  return {
    report: report.promise,
    handler: async (request) => {
      const { pathname } = new URL(request.url)
      if (pathname === '/report') {
        report.resolve((await request.json()) as Record<string, unknown>)
        return new Response(null, { status: 204 })
      }
      if (pathname === '/page.js') return new Response(script, { headers: { 'Content-Type': 'text/javascript' } })
      return new Response('<!doctype html><script src="/page.js"></script>', {
        headers: { 'Content-Type': 'text/html' },
      })
    },
  }
}

async function profilesOfThisProcess(): Promise<string[]> {
  const names = await readdir(tmpdir())
  return names.filter((name) => name.startsWith(`alcove-window-${process.pid}-`)).map((name) => join(tmpdir(), name))
}

/** Command lines of every process that works in this profile. */
async function commandLines(profile: string): Promise<{ pid: number; line: string }[]> {
  const found: { pid: number; line: string }[] = []
  for (const pid of await readdir('/proc')) {
    const line = /^\d+$/.test(pid) ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') : ''
    if (line.includes(profile)) found.push({ pid: Number(pid), line: line.replaceAll('\0', ' ') })
  }
  return found
}

describe.skipIf(browser === null || process.platform !== 'linux')('createChromiumShell with the real browser', () => {
  const shell = (signal?: AbortSignal) =>
    createChromiumShell({
      browser: browser!,
      reason: 'test',
      port: 0,
      graphics: 'swiftshader',
      extraFlags: ['--headless=new'],
      ...(signal === undefined ? {} : { signal }),
    })

  it(
    'enters by its cookie, keeps the token from everybody, and leaves nothing behind',
    { timeout: OPEN_MS },
    async () => {
      const { handler, report } = reportingPage()
      const session = await shell().open(handler, '/?study=1.2.3#/here')
      const seen = await report
      expect(seen).toEqual({ href: `${session.url}/?study=1.2.3#/here`, cookie: '', referrer: '', webgl: true })

      const [profile, ...others] = await profilesOfThisProcess()
      expect(others).toEqual([])
      expect((await stat(profile!)).mode & 0o777).toBe(0o700)
      expect(await readdir(profile!)).not.toContain('enter.html')
      const processes = await commandLines(profile!)
      expect(processes.length).toBeGreaterThan(0)
      for (const { line } of processes) expect(line).not.toMatch(/token/i)

      // Somebody else on this machine knows the port and nothing more.
      expect((await fetch(`${session.url}/`)).status).toBe(401)

      await session.close()
      await session.closed
      expect(await commandLines(profile!)).toEqual([])
      expect(await profilesOfThisProcess()).toEqual([])
      await expect(fetch(`${session.url}/`)).rejects.toThrow()
    },
  )

  it('ends when its window ends', { timeout: OPEN_MS }, async () => {
    const { handler, report } = reportingPage()
    const session = await shell().open(handler, '/')
    await report
    const [profile] = await profilesOfThisProcess()
    const main = (await commandLines(profile!)).find(({ line }) => !line.includes('--type='))
    process.kill(main!.pid, 'SIGTERM')
    await session.closed
    await expect(fetch(`${session.url}/`)).rejects.toThrow()
    expect(await profilesOfThisProcess()).toEqual([])
  })

  it('ends when the app is told to stop', { timeout: OPEN_MS }, async () => {
    const controller = new AbortController()
    const { handler, report } = reportingPage()
    const session = await shell(controller.signal).open(handler, '/')
    await report
    controller.abort()
    await session.closed
    expect(await profilesOfThisProcess()).toEqual([])
  })
})

describe.skipIf(process.platform === 'win32')('createChromiumShell with a browser that fails', () => {
  it('says which browser, and cleans up', async () => {
    const failing = createChromiumShell({
      browser: { name: 'Nothing', path: '/bin/false', snap: false },
      reason: 'test',
      port: 0,
      graphics: 'gpu',
    })
    await expect(failing.open(async () => new Response(), '/')).rejects.toMatchObject({
      code: 'shell/unavailable',
      message: 'Nothing (/bin/false) ended before its window opened.',
    })
    expect(await profilesOfThisProcess()).toEqual([])
  })
})
