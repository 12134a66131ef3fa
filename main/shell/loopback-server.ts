import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { AlcoveError } from '#common/errors.ts'
import { createLoopbackGuard, type LoopbackGuard } from '#node/http/loopback-guard.ts'
import type { FetchHandler } from './types.ts'

const HOST = '127.0.0.1'
const HEADERS_TIMEOUT_MS = 30_000
const CLOSE_GRACE_MS = 1_000

export interface LoopbackOptions {
  /** 0 lets the system choose. */
  port: number
  /** Lets scripts in by `Authorization: Bearer …`. */
  bearerToken?: string
}

export interface LoopbackServer {
  readonly port: number
  readonly guard: LoopbackGuard
  /** Connections open now: 0 for a while means that no window shows this server. */
  connections(): Promise<number>
  close(): Promise<void>
}

/**
 * Puts the guarded handler on 127.0.0.1.
 * @throws AlcoveError shell/unavailable when the port is taken
 */
export async function serveOnLoopback(handler: FetchHandler, options: LoopbackOptions): Promise<LoopbackServer> {
  // The guard names the port, which is known only once the server listens: nothing is answered before.
  let guarded: FetchHandler | null = null
  const server = createAdaptorServer({
    fetch: async (request) => (guarded === null ? new Response(null, { status: 503 }) : guarded(request)),
    hostname: HOST,
    overrideGlobalObjects: false,
    // A study sent to this server may take longer than Node's five minutes for a whole request.
    serverOptions: { requestTimeout: 0, headersTimeout: HEADERS_TIMEOUT_MS },
  }) as Server
  await listen(server, options.port)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new AlcoveError('internal', 'The server has no port.')
  const guard = createLoopbackGuard({
    host: HOST,
    port: address.port,
    aliases: ['localhost'],
    ...(options.bearerToken === undefined ? {} : { bearerToken: options.bearerToken }),
  })
  guarded = guard.protect(handler)
  return {
    port: address.port,
    guard,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
      }),
    close: () => close(server),
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      reject(
        new AlcoveError(
          'shell/unavailable',
          taken
            ? `Port ${port} is in use; choose another with --port, or leave it out.`
            : `The local server cannot listen on ${HOST}:${port} (${error.code ?? 'unknown error'}).`,
          { cause: error },
        ),
      )
    })
    server.listen(port, HOST, resolve)
  })
}

/** Lets answers under way finish for a moment, then cuts the rest (event streams never end by themselves). */
function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve()
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}
