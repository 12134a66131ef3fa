import { STATUS_CODES } from 'node:http'
import type { Problem } from '#common/contract/problem.ts'
import { type AlcoveError, ERROR_CODES } from '#common/errors.ts'

/** RFC 9457 problem details of an error. The message of an AlcoveError is written for people and holds no PHI. */
function problemOf(error: AlcoveError): Problem {
  const { status } = ERROR_CODES[error.code]
  return {
    type: `urn:alcove:error:${error.code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: error.message,
    code: error.code,
  }
}

/**
 * The answer to a failed request. An unexpected error (`internal`) tells the caller no more than that: its text may
 * hold a path or a value of the data set, and is the log's business.
 */
export function problemResponse(error: AlcoveError, headers: Record<string, string> = {}): Response {
  const problem = problemOf(error)
  if (error.code === 'internal') problem.detail = 'Something went wrong inside Alcove; its log says more.'
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...headers },
  })
}
