import { Hono } from 'hono'
import { withSecurityHeaders } from '#node/http/headers.ts'
import { problemResponse } from '#node/http/problem.ts'
import { type Logger, SILENT_LOGGER } from '#node/log/logger.ts'
import type { DoctorReport } from '#common/contract/doctor.ts'
import type { AppInfo } from '#common/contract/settings.ts'
import { API_PREFIX } from '#common/contract/route.ts'
import { AlcoveError, toAlcoveError } from '#common/errors.ts'
import type { Workstation } from '../workstation.ts'
import { serveAsset } from './assets.ts'
import type { ApiContext } from './context.ts'
import { DICOMWEB_PREFIX } from './dicomweb/addresses.ts'
import { mountDicomWeb } from './dicomweb/router.ts'
import { appHandlers } from './rest/app.ts'
import { frameHandlers } from './rest/frames.ts'
import { importHandlers } from './rest/imports.ts'
import { modelHandlers } from './rest/models.ts'
import { mountRest } from './rest/router.ts'
import { segmentationHandlers } from './rest/segmentations.ts'
import { studyHandlers } from './rest/studies.ts'
import { taskHandlers } from './rest/tasks.ts'

export interface ApiOptions {
  shell: AppInfo['shell']
  /** Build folder of the window (dist/renderer); null serves no page. */
  rendererDir?: string | null
  logger?: Logger
  /** Answers /api/v1/doctor; a report that knows only the vault when left out. */
  doctor?: () => Promise<DoctorReport>
}

/** Paths of the router as patterns, to tell which methods an address has. */
function methodsAt(app: Hono, pathname: string): string[] {
  const methods = new Set<string>()
  for (const { method, path } of app.routes) {
    const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`)
    if (method !== 'ALL' && pattern.test(pathname)) methods.add(method)
  }
  if (methods.has('GET')) methods.add('HEAD')
  if (methods.size > 0) methods.add('OPTIONS')
  return [...methods]
}

function isApi(pathname: string): boolean {
  return [API_PREFIX, DICOMWEB_PREFIX].some((prefix) => pathname === prefix || pathname.startsWith(`${prefix}/`))
}

/** PathName of the request; the text is cut by hand nowhere else. */
function pathOf(request: Request): string {
  return new URL(request.url).pathname
}

/**
 * The one API behind every door: DICOMweb, REST, events and the window's own files. Needs no socket. Answers are
 * never shared across origins: no CORS header is ever sent.
 */
export function createApi(workstation: Workstation, options: ApiOptions): (request: Request) => Promise<Response> {
  const logger = options.logger ?? SILENT_LOGGER
  const context: ApiContext = {
    workstation,
    shell: options.shell,
    logger,
    doctor: options.doctor ?? (async () => ({ healthy: true, checks: [] })),
  }
  const app = new Hono()
  mountDicomWeb(app, context)
  mountRest(
    app,
    {
      ...appHandlers,
      ...studyHandlers,
      ...frameHandlers,
      ...taskHandlers,
      ...modelHandlers,
      ...segmentationHandlers,
      ...importHandlers(workstation),
    },
    context,
  )

  app.onError((error) => {
    const known = toAlcoveError(error)
    if (known.code === 'internal') logger.error({ err: error }, 'A request failed unexpectedly')
    return problemResponse(known)
  })

  app.notFound(async (hono) => {
    const request = hono.req.raw
    const pathname = pathOf(request)
    if (!isApi(pathname) && (request.method === 'GET' || request.method === 'HEAD') && options.rendererDir != null) {
      return serveAsset(options.rendererDir, pathname)
    }
    const methods = methodsAt(app, pathname)
    if (methods.length > 0) {
      const problem = problemResponse(new AlcoveError('request/method-not-allowed', 'This address has other methods.'))
      problem.headers.set('Allow', methods.join(', '))
      return problem
    }
    return problemResponse(new AlcoveError('not-found', 'There is nothing at this address.'))
  })

  return async (request) => {
    if (request.method === 'OPTIONS') return withSecurityHeaders(options204(app, request))
    if (request.method === 'HEAD') return withSecurityHeaders(await head(app, request))
    return withSecurityHeaders(await app.fetch(request))
  }
}

/** As GET, without the body: what would produce it is told at once that nobody reads it. */
async function head(app: Hono, request: Request): Promise<Response> {
  const { url, headers, signal } = request
  const response = await app.fetch(new Request(url, { method: 'GET', headers, signal }))
  await response.body?.cancel()
  return new Response(null, { status: response.status, headers: response.headers })
}

function options204(app: Hono, request: Request): Response {
  const pathname = pathOf(request)
  const methods = isApi(pathname) ? methodsAt(app, pathname) : ['GET', 'HEAD', 'OPTIONS']
  if (methods.length === 0) return problemResponse(new AlcoveError('not-found', 'There is nothing at this address.'))
  return new Response(null, { status: 204, headers: { Allow: methods.join(', ') } })
}
