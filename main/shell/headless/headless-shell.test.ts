import { request as httpRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createHeadlessShell } from './headless-shell.ts'
import type { ShellSession } from '../types.ts'

async function opened(
  path = '/#/study/1.2',
): Promise<{ session: ShellSession; link: string; controller: AbortController }> {
  const links: string[] = []
  const controller = new AbortController()
  const shell = createHeadlessShell({
    reason: 'test',
    port: 0,
    signal: controller.signal,
    bearerToken: 'for-scripts',
    onLink: (link) => links.push(link),
  })
  const session = await shell.open(async (request) => {
    if (new URL(request.url).pathname === '/endless')
      return new Response(new ReadableStream({ start: () => undefined }))
    return new Response(`got ${(await request.text()).length}`)
  }, path)
  expect(links).toHaveLength(1)
  return { session, link: links[0]!, controller }
}

/** fetch() cannot lie about Host; a program can. */
function statusWithHost(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers: { Host: host, Authorization: 'Bearer for-scripts' } }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.once('error', reject).end()
  })
}

describe('createHeadlessShell over real sockets', () => {
  it('enters once by the link, then by the cookie', async () => {
    const { session, link } = await opened()
    expect(session.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await fetch(`${session.url}/`)).status).toBe(401)
    const entered = await fetch(link, { redirect: 'manual' })
    expect(entered.status).toBe(303)
    expect(entered.headers.get('Location')).toBe('/#/study/1.2')
    const cookie = entered.headers.getSetCookie()[0]!.split(';')[0]!
    expect(await (await fetch(`${session.url}/`, { headers: { Cookie: cookie } })).text()).toBe('got 0')
    expect((await fetch(link, { redirect: 'manual' })).status).toBe(403)
    await session.close()
  })

  it('refuses another Host and another Origin although the token is right', async () => {
    const { session } = await opened()
    const { port } = new URL(session.url!)
    expect(await statusWithHost(session.url!, `127.0.0.1:${port}`)).toBe(200)
    expect(await statusWithHost(session.url!, `evil.example:${port}`)).toBe(403)
    expect(await statusWithHost(session.url!, '127.0.0.1')).toBe(403)
    const headers = { Authorization: 'Bearer for-scripts', Origin: 'https://evil.example' }
    expect((await fetch(session.url!, { headers })).status).toBe(403)
    await session.close()
  })

  it('streams large bodies in', async () => {
    const { session } = await opened()
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let i = 0; i < 40; i++) controller.enqueue(new Uint8Array(1_000_000).fill(65))
        controller.close()
      },
    })
    const init = {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { Authorization: 'Bearer for-scripts' },
    } as RequestInit
    expect(await (await fetch(session.url!, init)).text()).toBe('got 40000000')
    await session.close()
  })

  it('ends although an event stream is open', async () => {
    const { session, controller } = await opened()
    const response = await fetch(`${session.url}/endless`, { headers: { Authorization: 'Bearer for-scripts' } })
    const reading = response.text().catch(() => 'cut')
    controller.abort()
    await session.closed
    expect(await reading).toBe('cut')
    await expect(fetch(session.url!)).rejects.toThrow()
  })

  it('says when its port is taken', async () => {
    const { session } = await opened()
    const port = Number(new URL(session.url!).port)
    const second = createHeadlessShell({ reason: 'test', port, onLink: () => undefined })
    await expect(second.open(async () => new Response(), '/')).rejects.toMatchObject({
      code: 'shell/unavailable',
      message: expect.stringContaining(`Port ${port} is in use`) as unknown,
    })
    await session.close()
  })
})
