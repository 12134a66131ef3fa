import type { z } from 'zod'
import { AlcoveError, ERROR_CODES, type ErrorCode } from '../errors.ts'
import { problemSchema } from './problem.ts'
import { API_PREFIX, type BinaryBody, isBinaryBody, type RouteContract } from './route.ts'
import { type RouteName, ROUTES, type Routes } from './routes.ts'

/** What the client needs of a fetch response; the platform's own Response has it. */
export interface ClientResponse {
  ok: boolean
  status: number
  json(): Promise<unknown>
  arrayBuffer(): Promise<ArrayBuffer>
}

/** The part of fetch() the client uses, so that a page, Node and a test's direct handler all fit. */
export type ClientFetch<Response extends ClientResponse, Body, Signal> = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string | Body; signal?: Signal },
) => Promise<Response>

type InputOf<Schema> = Schema extends z.ZodType ? z.input<Schema> : never
type ParamsPart<Contract> = Contract extends { params: infer Schema } ? { params: InputOf<Schema> } : unknown
/** Query values are given as they are written in TypeScript; the client turns them into text. */
type QueryPart<Contract> = Contract extends { query: infer Schema extends z.ZodType }
  ? object extends z.input<Schema>
    ? { query?: { [Key in keyof z.input<Schema>]?: string | number | boolean | undefined } }
    : { query: { [Key in keyof z.input<Schema>]: string | number | boolean } }
  : unknown
type BodyPart<Contract, Body> = Contract extends { body: infer Schema }
  ? Schema extends BinaryBody
    ? { body: Body }
    : { body: InputOf<Schema> }
  : unknown

type CallOptions<Name extends RouteName, Body, Signal> = ParamsPart<Routes[Name]> &
  QueryPart<Routes[Name]> &
  BodyPart<Routes[Name], Body> & { signal?: Signal }

type CallResult<Name extends RouteName, Response> = Routes[Name]['response'] extends z.ZodType
  ? z.output<Routes[Name]['response']>
  : Routes[Name]['response'] extends { kind: 'none' }
    ? undefined
    : Routes[Name]['response'] extends { kind: 'binary' }
      ? Uint8Array<ArrayBuffer>
      : Response

export type ApiClient<Response extends ClientResponse, Body, Signal> = {
  [Name in RouteName]: object extends CallOptions<Name, Body, Signal>
    ? (options?: CallOptions<Name, Body, Signal>) => Promise<CallResult<Name, Response>>
    : (options: CallOptions<Name, Body, Signal>) => Promise<CallResult<Name, Response>>
}

interface LooseOptions {
  params?: Record<string, unknown>
  query?: Record<string, unknown>
  body?: unknown
  signal?: unknown
}

/** `/studies/{study}` and `{study: '1.2'}` → `/studies/1.2`, values percent-encoded. */
function fillPath(path: string, params: Record<string, unknown>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])))
}

function queryText(query: Record<string, unknown>): string {
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`)
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

/** The problem a failed response carries, as an AlcoveError. */
export async function problemOf(response: ClientResponse): Promise<AlcoveError> {
  const parsed = problemSchema.safeParse(await response.json().catch(() => null))
  if (!parsed.success) return new AlcoveError('internal', `The workstation answered ${response.status}.`)
  const code = parsed.data.code in ERROR_CODES ? (parsed.data.code as ErrorCode) : 'internal'
  return new AlcoveError(code, parsed.data.detail)
}

/**
 * A typed client of the REST API: `api.getStudy({ params: { study } })`. Responses are checked against the contract.
 * Every call throws the AlcoveError whose problem the server answered. `events` gives the open response, to be read
 * with EventStreamParser.
 */
export function createApiClient<Response extends ClientResponse, Body, Signal>(
  fetch: ClientFetch<Response, Body, Signal>,
  origin = '',
): ApiClient<Response, Body, Signal> {
  const call = async (contract: RouteContract, options: LooseOptions = {}): Promise<unknown> => {
    const url = origin + API_PREFIX + fillPath(contract.path, options.params ?? {}) + queryText(options.query ?? {})
    const headers: Record<string, string> = {}
    let body: string | Body | undefined
    if (contract.body !== undefined && isBinaryBody(contract.body)) {
      headers['Content-Type'] = contract.body.mediaType ?? 'application/octet-stream'
      body = options.body as Body
    } else if (options.body !== undefined) {
      headers['Content-Type'] = 'application/json'
      body = JSON.stringify(options.body)
    }
    const response = await fetch(url, {
      method: contract.method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(options.signal === undefined ? {} : { signal: options.signal as Signal }),
    })
    if (!response.ok) throw await problemOf(response)
    if (!isBinaryBody(contract.response)) return contract.response.parse(await response.json())
    if (contract.response.kind === 'none') return undefined
    if (contract.response.kind === 'binary') return new Uint8Array(await response.arrayBuffer())
    return response
  }
  const entries = Object.entries(ROUTES).map(([name, contract]) => [
    name,
    (options?: LooseOptions) => call(contract, options),
  ])
  return Object.fromEntries(entries) as ApiClient<Response, Body, Signal>
}
