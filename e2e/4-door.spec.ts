import { request as httpRequest } from 'node:http'
import { expect, test } from './fixtures.ts'

/** Status of a request whose every header is ours: fetch() would not let Host and Origin be lies. */
function status(url: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.once('error', reject).end()
  })
}

test.describe('the loopback door', () => {
  test.skip(({ app }) => app.door === null, 'Electron has no door: no port is open')

  test('is closed to who has neither cookie nor token', async ({ app }) => {
    const { origin } = app.door!
    for (const path of ['/', '/api/v1/studies', '/dicom-web/studies', '/index.html', '/assets/x.js']) {
      expect(await status(origin + path, {}), path).toBe(401)
    }
    expect(await status(`${origin}/api/v1/studies`, { Authorization: 'Bearer guess' })).toBe(401)
  })

  test('takes a link once', async ({ app, window }) => {
    await expect(window.getByTestId('worklist')).toBeVisible()
    expect(await status(app.door!.usedLink, {})).toBe(403)
    expect(window.url()).not.toContain('token')
  })

  test('knows its own name and nobody else’s', async ({ app }) => {
    const { origin, token } = app.door!
    const { port } = new URL(origin)
    const Authorization = `Bearer ${token}`
    expect(await status(`${origin}/api/v1/studies`, { Authorization })).toBe(200)
    for (const Host of [
      `evil.example:${port}`,
      'evil.example',
      '127.0.0.1',
      `127.0.0.1.evil.example:${port}`,
      `[::1]:${port}`,
    ]) {
      expect(await status(`${origin}/api/v1/studies`, { Authorization, Host }), Host).toBe(403)
    }
    for (const Origin of [
      'https://evil.example',
      'null',
      `http://127.0.0.1:${Number(port) + 1}`,
      `https://127.0.0.1:${port}`,
    ]) {
      expect(await status(`${origin}/api/v1/studies`, { Authorization, Origin }), Origin).toBe(403)
    }
  })

  test('gives a page of another site nothing, although the browser holds the cookie', async ({ app, window }) => {
    const { origin } = app.door!
    const stranger = await window.context().newPage()
    await stranger.route('http://evil.example/**', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>evil</title>' }),
    )
    await stranger.goto('http://evil.example/')
    const read = await stranger.evaluate(async (address) => {
      const attempts = [
        fetch(`${address}/api/v1/studies`, { credentials: 'include' }),
        fetch(`${address}/api/v1/imports`, { method: 'POST', credentials: 'include', body: '{"paths":["/etc"]}' }),
      ]
      return Promise.all(attempts.map((attempt) => attempt.then((answer) => answer.status).catch(() => 'refused')))
    }, origin)
    expect(read).toEqual(['refused', 'refused'])
    const opaque = await stranger
      .evaluate(
        async (address) => (await fetch(`${address}/api/v1/studies`, { mode: 'no-cors', credentials: 'include' })).type,
        origin,
      )
      .catch(() => 'refused')
    expect(['opaque', 'refused']).toContain(opaque)
    const framed = await stranger.evaluate(
      (address) =>
        new Promise((resolve) => {
          const frame = document.createElement('iframe')
          frame.src = address
          const seen = (): string => {
            try {
              return frame.contentDocument?.title ?? 'closed'
            } catch {
              return 'closed'
            }
          }
          frame.addEventListener('load', () => resolve(seen()))
          document.body.append(frame)
        }),
      origin,
    )
    expect(framed).toBe('closed')
    await stranger.close()
  })

  test('keeps its cookie from scripts and its page under a strict policy', async ({ window }) => {
    expect(await window.evaluate(() => document.cookie)).toBe('')
    const [cookie] = await window.context().cookies()
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' })
    const outcome = await window.evaluate(async () => {
      const inline = document.createElement('script')
      inline.textContent = 'window.inlineRan = true'
      document.body.append(inline)
      const elsewhere = await fetch('https://example.org/')
        .then(() => 'reached')
        .catch(() => 'refused')
      return { inline: 'inlineRan' in window, elsewhere }
    })
    expect(outcome).toEqual({ inline: false, elsewhere: 'refused' })
  })
})
