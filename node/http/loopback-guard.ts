import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { AlcoveError } from '#common/errors.ts'
import { limitedBody } from './body.ts'
import { withSecurityHeaders } from './headers.ts'
import { problemResponse } from './problem.ts'

type Handler = (request: Request) => Promise<Response>

export interface LoopbackGuardOptions {
  /** Address listened on, e.g. "127.0.0.1". */
  host: string
  port: number
  /** Further names the server may be called by, e.g. "localhost". */
  aliases?: string[]
  /** For scripts: `Authorization: Bearer …`. Left out, only the window's cookie opens the door. */
  bearerToken?: string
  /** How long a printed link may wait for its first use, in ms. */
  entryLifetimeMs?: number
  now?: () => number
}

export interface LoopbackGuard {
  /** Puts the guard in front of a handler. */
  protect(handler: Handler): Handler
  /**
   * A link with a one-time token. Its first visit sets the session cookie and goes on to `path` (an absolute path of
   * this server, fragment allowed); every later visit is refused.
   */
  entryUrl(path?: string): string
  /**
   * The same as a form to be posted (field `token`), so that the token stands in no address, history or process list.
   * A page opened from a file may post it: its origin is "null".
   */
  entryForm(path?: string): { action: string; token: string }
  /** The address without any secret. */
  readonly origin: string
}

const ENTRY_PATH = '/.alcove/enter'
const MAX_OPEN_ENTRIES = 64
const ENTRY_FORM_BYTES = 1024
const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** 256 random bits as text. */
export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

/** Compares without telling by its duration where two secrets differ. */
function sameSecret(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}

function cookieOf(request: Request, name: string): string | null {
  for (const pair of (request.headers.get('Cookie') ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return null
}

/** Only a path of this server: "//evil" and "\evil" would leave it. */
function safePath(path: string | null): string {
  return path !== null && /^\/(?![/\\])[^\r\n\\]*$/.test(path) ? path : '/'
}

/**
 * Guards a server on loopback against the other programs and pages of the machine: `Host` must be its own (DNS
 * rebinding), `Origin` and `Sec-Fetch-Site` too (other pages), and every request carries the session cookie or the
 * bearer token (other programs and users).
 */
export function createLoopbackGuard(options: LoopbackGuardOptions): LoopbackGuard {
  const now = options.now ?? Date.now
  const bracketed = options.host.includes(':') ? `[${options.host}]` : options.host
  const hosts = new Set([bracketed, ...(options.aliases ?? [])].map((name) => `${name}:${options.port}`.toLowerCase()))
  const origins = new Set([...hosts].map((host) => `http://${host}`))
  const origin = `http://${bracketed}:${options.port}`
  // The port is in the name because browsers share cookies between the ports of a host.
  const cookieName = `alcove-${options.port}`
  const session = newToken()
  const entries = new Map<string, { path: string; expires: number }>()
  const lifetime = options.entryLifetimeMs ?? 10 * 60_000

  const refuse = (code: 'auth/required' | 'auth/forbidden', message: string): Response =>
    withSecurityHeaders(problemResponse(new AlcoveError(code, message)))

  const newEntry = (path: string): string => {
    const token = newToken()
    if (entries.size >= MAX_OPEN_ENTRIES) entries.delete(entries.keys().next().value!)
    entries.set(token, { path: safePath(path), expires: now() + lifetime })
    return token
  }

  /** The path an entry leads to; the entry is used up. Null when there is none (any more). */
  const redeem = (given: string): string | null => {
    for (const [token, entry] of entries) {
      if (entry.expires < now()) entries.delete(token)
      else if (sameSecret(token, given)) {
        entries.delete(token)
        return entry.path
      }
    }
    return null
  }

  const sessionCookie = `${cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/`
  const usedUp = (): Response =>
    refuse('auth/forbidden', 'This link has been used or is too old. Start Alcove again for a new one.')

  const enterByLink = (url: URL): Response => {
    const path = redeem(url.searchParams.get('token') ?? '')
    if (path === null) return usedUp()
    return withSecurityHeaders(
      new Response(null, { status: 303, headers: { Location: path, 'Set-Cookie': sessionCookie } }),
    )
  }

  const enterByForm = async (request: Request): Promise<Response> => {
    const chunks: Uint8Array[] = []
    try {
      for await (const chunk of limitedBody(request, ENTRY_FORM_BYTES)) chunks.push(chunk)
    } catch {
      return usedUp()
    }
    const path = redeem(new URLSearchParams(Buffer.concat(chunks).toString('utf8')).get('token') ?? '')
    if (path === null) return usedUp()
    // Not a redirect: a browser sends no SameSite=Strict cookie along a chain that another page (the file) began.
    const target = path.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
    return withSecurityHeaders(
      new Response(`<!doctype html><meta http-equiv="refresh" content="0;url=${target}"><title>Alcove</title>`, {
        headers: { 'Content-Type': 'text/html; charset=utf-8', 'Set-Cookie': sessionCookie },
      }),
    )
  }

  const ownHost = (request: Request): boolean =>
    hosts.has((request.headers.get('Host') ?? new URL(request.url).host).toLowerCase())

  const check = (request: Request): Response | null => {
    if (!ownHost(request)) return refuse('auth/forbidden', 'The request names another host.')
    const from = request.headers.get('Origin')
    if (from !== null && !origins.has(from.toLowerCase())) {
      return refuse('auth/forbidden', 'Requests from other sites are refused.')
    }
    const site = request.headers.get('Sec-Fetch-Site')
    if (site !== null && site !== 'same-origin' && site !== 'none') {
      return refuse('auth/forbidden', 'Requests from other sites are refused.')
    }
    return null
  }

  const authenticate = (request: Request): Response | null => {
    const authorization = request.headers.get('Authorization')
    if (authorization !== null && options.bearerToken !== undefined) {
      const [scheme, token] = authorization.split(' ')
      if (scheme?.toLowerCase() === 'bearer' && token !== undefined && sameSecret(token, options.bearerToken)) {
        return null
      }
      return refuse('auth/required', 'The bearer token is not the one this server was started with.')
    }
    const cookie = cookieOf(request, cookieName)
    if (cookie === null || !sameSecret(cookie, session)) {
      return refuse('auth/required', 'Open Alcove by the link it printed, or send its bearer token.')
    }
    // With the cookie only the page itself may change anything; browsers always say where such a request comes from.
    const named = request.headers.has('Origin') || request.headers.get('Sec-Fetch-Site') === 'same-origin'
    if (UNSAFE.has(request.method) && !named) {
      return refuse('auth/forbidden', 'A change needs an Origin header, or the bearer token.')
    }
    return null
  }

  return {
    origin,
    entryUrl: (path = '/') => `${origin}${ENTRY_PATH}?token=${newEntry(path)}`,
    entryForm: (path = '/') => ({ action: `${origin}${ENTRY_PATH}`, token: newEntry(path) }),
    protect(handler) {
      return async (request) => {
        const url = new URL(request.url)
        if (url.pathname === ENTRY_PATH && request.method === 'POST' && ownHost(request)) {
          const from = request.headers.get('Origin')
          if (from === null || from === 'null' || origins.has(from.toLowerCase())) return enterByForm(request)
        }
        const refusal = check(request)
        if (refusal !== null) return refusal
        if (url.pathname === ENTRY_PATH && request.method === 'GET') return enterByLink(url)
        return authenticate(request) ?? handler(request)
      }
    },
  }
}
