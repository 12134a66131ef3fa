import type { z } from 'zod'

/** How a response that is not JSON is carried. */
export interface BinaryBody {
  kind: 'binary' | 'events' | 'none'
  mediaType: string | null
}

export type ResponseContract = z.ZodType | BinaryBody

/**
 * One REST route, declared once: the server checks requests against it, the client is typed by it and the OpenAPI
 * document is generated from it. `path` is below /api/v1 with `{name}` for every key of `params`.
 */
export interface RouteContract {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  summary: string
  params?: z.ZodObject
  query?: z.ZodObject
  /** JSON body, or a stream of bytes. */
  body?: z.ZodType | BinaryBody
  response: ResponseContract
  /** Status of success; 200 when left out. */
  status?: 200 | 201 | 202 | 204
}

export const API_PREFIX = '/api/v1'
export const NO_BODY = { kind: 'none', mediaType: null } as const
export const EVENTS = { kind: 'events', mediaType: 'text/event-stream' } as const

export function binary<MediaType extends string>(mediaType: MediaType) {
  return { kind: 'binary', mediaType } as const
}

/** Keeps the literal types of a declaration while checking its shape. */
export function route<const Contract extends RouteContract>(contract: Contract): Contract {
  return contract
}

export function isBinaryBody(contract: z.ZodType | BinaryBody): contract is BinaryBody {
  return 'kind' in contract && 'mediaType' in contract
}
