import { serveOnLoopback } from '../loopback-server.ts'
import type { Shell } from '../types.ts'

export interface HeadlessOptions {
  reason: string
  port: number
  bearerToken?: string
  /** Gets the one-time link, for the person at the terminal. */
  onLink: (link: string) => void
  /** Stops the server. */
  signal?: AbortSignal
}

/** Serves the workstation without opening anything: `alcove serve`, and the start on a machine without a display. */
export function createHeadlessShell(options: HeadlessOptions): Shell {
  return {
    name: 'headless',
    reason: options.reason,
    async open(handler, path) {
      const server = await serveOnLoopback(handler, options)
      const { promise: closed, resolve } = Promise.withResolvers<void>()
      const close = async (): Promise<void> => {
        await server.close()
        resolve()
      }
      options.signal?.addEventListener('abort', () => void close(), { once: true })
      options.onLink(server.guard.entryUrl(path))
      return { url: server.guard.origin, closed, close }
    },
  }
}
