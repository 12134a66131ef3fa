import { describe, expect, it } from 'vitest'
import { createLoopbackGuard } from './loopback-guard.ts'

const behind = async (): Promise<Response> => new Response('inside')
const get = (url: string, headers: Record<string, string> = {}, method = 'GET'): Request =>
  new Request(url, { method, headers: { Host: new URL(url).host, ...headers } })

function open() {
  let time = 0
  const guard = createLoopbackGuard({
    host: '127.0.0.1',
    port: 4711,
    aliases: ['localhost'],
    bearerToken: 'a-script-token',
    now: () => time,
  })
  return { guard, handler: guard.protect(behind), advance: (ms: number) => (time += ms) }
}

async function session(): Promise<{ handler: (request: Request) => Promise<Response>; cookie: string }> {
  const { guard, handler } = open()
  const entered = await handler(get(guard.entryUrl('/#/study/1.2')))
  return { handler, cookie: entered.headers.get('Set-Cookie')!.split(';')[0]! }
}

describe('createLoopbackGuard', () => {
  it('lets nobody in without cookie or token', async () => {
    const { handler, guard } = open()
    const response = await handler(get(`${guard.origin}/api/v1/studies`))
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ code: 'auth/required', status: 401 })
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
  })

  it('turns a link into a cookie once, and goes on to the page asked for', async () => {
    const { handler, guard } = open()
    const link = guard.entryUrl('/#/study/1.2')
    const first = await handler(get(link))
    expect(first.status).toBe(303)
    expect(first.headers.get('Location')).toBe('/#/study/1.2')
    const cookie = first.headers.get('Set-Cookie')!
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/)
    expect((await handler(get(link))).status).toBe(403)
    const inside = await handler(get(`${guard.origin}/`, { Cookie: `other=1; ${cookie.split(';')[0]!}` }))
    expect(await inside.text()).toBe('inside')
  })

  it('refuses a link that waited too long', async () => {
    const { handler, guard, advance } = open()
    const link = guard.entryUrl()
    advance(10 * 60_000 + 1)
    expect((await handler(get(link))).status).toBe(403)
  })

  it.each(['//evil.example/', '/\\evil.example', 'https://evil.example/', '/a\r\nSet-Cookie: x=1'])(
    'does not forward to %j',
    async (path) => {
      const { handler, guard } = open()
      expect((await handler(get(guard.entryUrl(path)))).headers.get('Location')).toBe('/')
    },
  )

  it('refuses another Host (DNS rebinding) even with the cookie', async () => {
    const { handler, cookie } = await session()
    const request = get('http://127.0.0.1:4711/', { Host: 'evil.example:4711', Cookie: cookie })
    expect((await handler(request)).status).toBe(403)
    expect((await handler(get('http://127.0.0.1:4712/', { Cookie: cookie }))).status).toBe(403)
    expect((await handler(get('http://localhost:4711/', { Cookie: cookie }))).status).toBe(200)
  })

  it.each([
    [{ Origin: 'https://evil.example' }],
    [{ Origin: 'http://127.0.0.1:4712' }],
    [{ Origin: 'null' }],
    [{ 'Sec-Fetch-Site': 'cross-site' }],
    [{ 'Sec-Fetch-Site': 'same-site' }],
  ])('refuses other sites: %j', async (headers) => {
    const { handler, cookie } = await session()
    const response = await handler(get('http://127.0.0.1:4711/', { Cookie: cookie, ...(headers as object) }))
    expect(response.status).toBe(403)
  })

  it('takes a change by cookie only with an Origin', async () => {
    const { handler, cookie } = await session()
    const url = 'http://127.0.0.1:4711/api/v1/settings'
    expect((await handler(get(url, { Cookie: cookie }, 'DELETE'))).status).toBe(403)
    expect((await handler(get(url, { Cookie: cookie, Origin: 'http://127.0.0.1:4711' }, 'DELETE'))).status).toBe(200)
  })

  it('opens to the bearer token and to no other', async () => {
    const { handler } = open()
    const url = 'http://127.0.0.1:4711/dicom-web/studies'
    expect((await handler(get(url, { Authorization: 'Bearer a-script-token' }, 'POST'))).status).toBe(200)
    expect((await handler(get(url, { Authorization: 'Bearer a-script-tokem' }))).status).toBe(401)
    expect((await handler(get(url, { Authorization: 'Bearer' }))).status).toBe(401)
  })

  it('takes a posted token from a page that was a file, once, without a redirect', async () => {
    const { guard, handler } = open()
    const { action, token } = guard.entryForm('/#/study/1.2?a="><script>')
    expect(action).not.toContain(token)
    const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
      handler(
        new Request(action, {
          method: 'POST',
          headers: { Host: '127.0.0.1:4711', Origin: 'null', 'Sec-Fetch-Site': 'cross-site', ...headers },
          body: new URLSearchParams({ token: body }),
        }),
      )
    expect((await post(token, { Origin: 'https://evil.example' })).status).toBe(403)
    expect((await post(token, { Host: 'evil.example:4711' })).status).toBe(403)
    expect((await post('guess')).status).toBe(403)
    expect((await post('x'.repeat(5000))).status).toBe(403)
    const entered = await post(token)
    expect(entered.status).toBe(200)
    expect(entered.headers.get('Set-Cookie')).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/)
    const page = await entered.text()
    expect(page).toContain('content="0;url=/#/study/1.2?a=&quot;>&lt;script>"')
    expect(page).not.toContain(token)
    expect((await post(token)).status).toBe(403)
  })
})
