import type { Context, Hono } from 'hono'
import { AlcoveError } from '#common/errors.ts'
import type { ApiContext } from '../context.ts'
import { multipartResponse, type OutgoingPart } from '../multipart.ts'
import { streamOf } from '#node/http/body.ts'
import {
  DICOMWEB_PREFIX,
  parseFrames,
  parseTarget,
  resolveInstances,
  resourceUrl,
  serviceRoot,
  type Target,
} from './addresses.ts'
import { retrieveFrames } from './frames.ts'
import { retrieveInstances } from './instances.ts'
import { retrieveBulkData, retrieveMetadata } from './metadata.ts'
import { type QidoLevel, search } from './qido.ts'
import { renderFrame, renderThumbnail } from './rendered.ts'
import { store } from './stow.ts'

/** Every level of a study, from the longest address to the shortest. */
const LEVELS = [
  '/studies/:study',
  '/studies/:study/series/:series',
  '/studies/:study/series/:series/instances/:instance',
]
const INSTANCE = '/studies/:study/series/:series/instances/:instance'

/** The DICOMweb studies service, PS3.18 chapter 10, on the local store. */
export function mountDicomWeb(app: Hono, context: ApiContext): void {
  const { workstation } = context
  const { studies } = workstation
  const targetOf = (hono: Context): Target => parseTarget(hono.req.param() as Record<string, string>)
  const get = (path: string, answer: (hono: Context, request: Request) => Response | Promise<Response>): void => {
    app.get(DICOMWEB_PREFIX + path, (hono) => answer(hono, hono.req.raw))
  }

  const searches: [string, QidoLevel][] = [
    ['/studies', 'study'],
    ['/series', 'series'],
    ['/instances', 'instance'],
    ['/studies/:study/series', 'series'],
    ['/studies/:study/instances', 'instance'],
    ['/studies/:study/series/:series/instances', 'instance'],
  ]
  for (const [path, level] of searches) get(path, (hono, request) => search(studies, request, level, targetOf(hono)))

  for (const path of LEVELS) {
    get(path, (hono, request) =>
      retrieveInstances(studies, request, serviceRoot(request), resolveInstances(studies, targetOf(hono))),
    )
    get(`${path}/metadata`, (hono, request) => retrieveMetadata(studies, request, targetOf(hono)))
    get(`${path}/thumbnail`, (hono, request) =>
      renderThumbnail(studies, request, resolveInstances(studies, targetOf(hono))),
    )
  }

  get(`${INSTANCE}/frames/:frames`, (hono, request) => {
    const [record] = resolveInstances(studies, targetOf(hono))
    const frames = parseFrames(hono.req.param('frames')!, record!)
    return retrieveFrames(studies, request, serviceRoot(request), record!, frames)
  })
  get(`${INSTANCE}/pixeldata`, (hono, request) => {
    const [record] = resolveInstances(studies, targetOf(hono))
    if (record!.frames === 0) throw new AlcoveError('dicom/no-pixels', 'This object has no image.')
    const frames = Array.from({ length: record!.frames }, (_, index) => index + 1)
    return retrieveFrames(studies, request, serviceRoot(request), record!, frames)
  })
  get(`${INSTANCE}/rendered`, (hono, request) =>
    renderFrame(studies, request, resolveInstances(studies, targetOf(hono))[0]!, 1),
  )
  for (const kind of ['rendered', 'thumbnail'] as const) {
    get(`${INSTANCE}/frames/:frames/${kind}`, (hono, request) => {
      const [record] = resolveInstances(studies, targetOf(hono))
      const frames = parseFrames(hono.req.param('frames')!, record!)
      if (frames.length > 1) throw new AlcoveError('request/invalid', 'One frame is rendered at a time.')
      return kind === 'rendered'
        ? renderFrame(studies, request, record!, frames[0]!)
        : renderThumbnail(studies, request, [record!], frames[0])
    })
  }
  get(`${INSTANCE}/bulkdata/:range`, async (hono, request) => {
    const target = targetOf(hono)
    const { length, single, pieces } = await retrieveBulkData(studies, request, target, hono.req.param('range')!)
    const contentType = 'application/octet-stream'
    if (single) {
      return new Response(streamOf(pieces()), {
        headers: { 'Content-Type': contentType, 'Content-Length': String(length) },
      })
    }
    const location = `${resourceUrl(serviceRoot(request), target)}/bulkdata/${hono.req.param('range')!}`
    async function* parts(): AsyncGenerator<OutgoingPart> {
      yield { contentType, contentLocation: location, body: pieces() }
    }
    return multipartResponse(contentType, parts())
  })

  app.post(`${DICOMWEB_PREFIX}/studies`, (hono) => store(workstation, hono.req.raw, null))
  app.post(`${DICOMWEB_PREFIX}/studies/:study`, (hono) =>
    store(workstation, hono.req.raw, parseTarget({ study: hono.req.param('study') }).study!),
  )
}
