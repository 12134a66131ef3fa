import { isAbsolute } from 'node:path'
import { AlcoveError } from '#common/errors.ts'
import type { ImportSource } from '../../studies/types.ts'
import type { Workstation } from '../../workstation.ts'
import type { Handlers } from './handler.ts'
import { Uploads } from './uploads.ts'

/** Handlers of imports; the open uploads belong to the API that was made with them. */
export function importHandlers(
  workstation: Workstation,
): Pick<Handlers, 'importPaths' | 'startUpload' | 'uploadFile' | 'finishUpload'> {
  const uploads = new Uploads(workstation)
  return {
    importPaths({ body }) {
      if (!body.paths.every((path) => isAbsolute(path))) {
        throw new AlcoveError('request/invalid', 'Paths to import must be absolute.')
      }
      const sources = body.paths.map((path): ImportSource => ({ kind: 'path', path }))
      const { task } = workstation.tasks.start('import', ({ signal, report }) =>
        workstation.importer.import(sources, {
          signal,
          onProgress: ({ done, total, note }) => report({ done, total, note }),
        }),
      )
      return task
    },
    startUpload: ({ body }) => uploads.start(body.files),
    uploadFile: ({ params, query, request }) => uploads.addFile(params.upload, query.name, request),
    finishUpload: ({ params }) => uploads.finish(params.upload),
  }
}
