import type { Hono } from 'hono'
import type { z } from 'zod'
import { readJson } from '#node/http/body.ts'
import { API_PREFIX, isBinaryBody, type RouteContract } from '#common/contract/route.ts'
import { ROUTES } from '#common/contract/routes.ts'
import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import type { ApiContext } from '../context.ts'
import type { Handlers } from './handler.ts'

/** @throws request/invalid naming the fields, never their values */
function check<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || where}: ${issue.message}`)
  throw new AlcoveError('request/invalid', `The ${where} is not valid. ${issues.slice(0, 5).join('; ')}`)
}

/** A parameter that is no UID names nothing that could be here. */
function checkParams(schema: z.ZodObject, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new AlcoveError('not-found', 'There is nothing at this address.')
}

type LooseHandler = (input: Record<string, unknown>, context: ApiContext) => unknown

/** Serves every route of the contract: checks what comes in by its schemas, and answers with the handler's document. */
export function mountRest(app: Hono, handlers: Handlers, context: ApiContext): void {
  for (const [name, contract] of Object.entries(ROUTES) as [keyof typeof ROUTES, RouteContract][]) {
    const handler = handlers[name] as unknown as LooseHandler
    const path = API_PREFIX + contract.path.replaceAll(/\{(\w+)\}/g, ':$1')
    app.on(contract.method, path, async (hono) => {
      const request = hono.req.raw
      const output = await handler(
        {
          request,
          params: contract.params === undefined ? undefined : checkParams(contract.params, hono.req.param()),
          query: contract.query === undefined ? undefined : check(contract.query, hono.req.query(), 'query'),
          body:
            contract.body === undefined || isBinaryBody(contract.body)
              ? undefined
              : check(contract.body, await readJson(request, LIMITS.jsonBodyBytes), 'body'),
        },
        context,
      )
      if (output instanceof Response) return output
      const status = contract.status ?? 200
      if (isBinaryBody(contract.response)) return new Response(null, { status })
      return Response.json(output, { status })
    })
  }
}
