import { z } from 'zod'
import { problemSchema } from '#common/contract/problem.ts'
import { API_PREFIX, isBinaryBody, type ResponseContract, type RouteContract } from '#common/contract/route.ts'
import { ROUTES } from '#common/contract/routes.ts'
import { eventSchema } from '#common/contract/tasks.ts'

type Json = Record<string, unknown>

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...document } = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12' })
  return document
}

function contentOf(contract: ResponseContract | z.ZodType, io: 'input' | 'output'): Json | null {
  if (!isBinaryBody(contract)) return { 'application/json': { schema: schemaOf(contract, io) } }
  if (contract.kind === 'none') return null
  const media = contract.mediaType ?? 'application/octet-stream'
  if (contract.kind === 'events')
    return { [media]: { schema: { type: 'string' }, 'x-event': schemaOf(eventSchema, 'output') } }
  // OpenAPI 3.1: a body of raw bytes has an empty schema.
  return { [media]: { schema: {} } }
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined) return []
  const document = schemaOf(schema, 'input') as { properties?: Record<string, Json>; required?: string[] }
  return Object.entries(document.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || (document.required ?? []).includes(name),
    schema: property,
  }))
}

function operation(name: string, contract: RouteContract): Json {
  const requestContent = contract.body === undefined ? null : contentOf(contract.body, 'input')
  const responseContent = contentOf(contract.response, 'output')
  return {
    operationId: name,
    summary: contract.summary,
    parameters: [...parametersOf(contract.params, 'path'), ...parametersOf(contract.query, 'query')],
    ...(requestContent === null ? {} : { requestBody: { required: true, content: requestContent } }),
    responses: {
      [String(contract.status ?? 200)]: {
        description: contract.summary,
        ...(responseContent === null ? {} : { content: responseContent }),
      },
      default: {
        description: 'A problem (RFC 9457)',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

/** OpenAPI 3.1 of everything under /api/v1, from the same schemas the server checks by. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {}
  for (const [name, contract] of Object.entries(ROUTES) as [string, RouteContract][]) {
    const path = (paths[API_PREFIX + contract.path] ??= {})
    path[contract.method.toLowerCase()] = operation(name, contract)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Alcove',
      version,
      description:
        'What DICOMweb does not cover. DICOMweb (QIDO-RS, WADO-RS, STOW-RS) is served under /dicom-web. ' +
        'Research software, not a medical device.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ session: [] }, { bearer: [] }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problemSchema, 'output') },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'alcove', description: 'Set by the link that was printed.' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  }
}
