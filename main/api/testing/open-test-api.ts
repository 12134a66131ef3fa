import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveOnLoopback } from '../../shell/loopback-server.ts'
import type { FetchHandler } from '../../shell/types.ts'
import type { Workstation } from '../../workstation.ts'
import { openWorkstation } from '../../workstation-open.ts'
import { createApi } from '../create-api.ts'

export type Door = 'direct' | 'loopback'
export const DOORS: readonly Door[] = ['direct', 'loopback']

export interface TestApi {
  workstation: Workstation
  handler: FetchHandler
  /** Address in front of every path. */
  origin: string
  /** fetch() through the door under test, let in. */
  fetch: (path: string, init?: RequestInit) => Promise<Response>
  close(): Promise<void>
}

/** A real workstation in a temporary folder, reached without a socket or through the guarded loopback server. */
export async function openTestApi(
  door: Door = 'direct',
  options: { rendererDir?: string | null } = {},
): Promise<TestApi> {
  const folder = await mkdtemp(join(tmpdir(), 'alcove-api-'))
  const workstation = await openWorkstation({
    dataDir: join(folder, 'data'),
    passphrase: 'a passphrase for tests',
    createIfMissing: true,
  })
  const handler = createApi(workstation, { shell: 'headless', rendererDir: options.rendererDir ?? null })
  const finish = async (): Promise<void> => {
    await workstation.close()
    await rm(folder, { recursive: true, force: true })
  }
  if (door === 'direct') {
    const origin = 'http://alcove.test'
    return {
      workstation,
      handler,
      origin,
      fetch: (path, init) => handler(new Request(origin + path, { duplex: 'half', ...init })),
      close: finish,
    }
  }
  const server = await serveOnLoopback(handler, { port: 0, bearerToken: 'test-token' })
  return {
    workstation,
    handler,
    origin: server.guard.origin,
    fetch: (path, init) => {
      const headers = new Headers(init?.headers)
      headers.set('Authorization', 'Bearer test-token')
      return fetch(server.guard.origin + path, { duplex: 'half', ...init, headers })
    },
    async close() {
      await server.close()
      await finish()
    },
  }
}
