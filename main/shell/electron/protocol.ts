import { toAlcoveError } from '#common/errors.ts'
import { withSecurityHeaders } from '#node/http/headers.ts'
import { problemResponse } from '#node/http/problem.ts'
import { AlcoveError } from '#common/errors.ts'
import type { FetchHandler } from '../types.ts'
import { isAppUrl } from './origin.ts'

/**
 * `protocol.handle` wants (Request) => Response, which is what the handler is: bodies stream both ways. Only the
 * app's own host is answered, and an error never reaches Electron, which would show the page a bare network failure.
 */
export function protocolHandler(handler: FetchHandler): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      if (!isAppUrl(request.url)) throw new AlcoveError('not-found', 'There is no such address in Alcove.')
      return await handler(request)
    } catch (error) {
      return withSecurityHeaders(problemResponse(toAlcoveError(error)))
    }
  }
}
