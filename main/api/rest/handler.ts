import type { z } from 'zod'
import type { BinaryBody, RouteContract } from '#common/contract/route.ts'
import type { RouteName, Routes } from '#common/contract/routes.ts'
import type { ApiContext } from '../context.ts'

type Parsed<Contract, Key extends string> = Contract extends { [K in Key]: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : undefined

/** What a handler gets: everything the contract declares, already checked. */
interface HandlerInput<Contract extends RouteContract> {
  params: Parsed<Contract, 'params'>
  query: Parsed<Contract, 'query'>
  body: Parsed<Contract, 'body'>
  request: Request
}

/** What it gives back: the JSON document of the contract, nothing, or a whole response for streams. */
type HandlerOutput<Contract extends RouteContract> = Contract['response'] extends z.ZodType
  ? z.input<Contract['response']>
  : Contract['response'] extends { kind: 'none' }
    ? void
    : Contract['response'] extends BinaryBody
      ? Response
      : never

type Handler<Name extends RouteName> = (
  input: HandlerInput<Routes[Name]>,
  context: ApiContext,
) => HandlerOutput<Routes[Name]> | Promise<HandlerOutput<Routes[Name]>>

/** One handler for every route of the contract: a route that nobody serves does not compile. */
export type Handlers = { [Name in RouteName]: Handler<Name> }
