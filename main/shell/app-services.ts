import type { StudyInstanceUID } from '#common/ids.ts'
import type { Workstation } from '../workstation.ts'
import type { FetchHandler } from './types.ts'

/** What a shell that owns a window needs of the workstation behind it. */
export interface AppServices {
  readonly handler: FetchHandler
  /** Starts an import task; its progress and end are events that the page shows. */
  importPaths(paths: string[]): void
  /** Brings a study onto the page that is open. */
  openStudy(studyInstanceUID: StudyInstanceUID): void
  close(): Promise<void>
}

export function workstationServices(
  workstation: Pick<Workstation, 'tasks' | 'importer' | 'events' | 'close'>,
  handler: FetchHandler,
): AppServices {
  return {
    handler,
    importPaths(paths) {
      const sources = paths.map((path) => ({ kind: 'path' as const, path }))
      const { result } = workstation.tasks.start('import', ({ signal, report }) =>
        workstation.importer.import(sources, {
          signal,
          onProgress: ({ done, total, note }) => report({ done, total, note }),
        }),
      )
      // The task's own event tells a failure; here is nobody to tell it to.
      result.catch(() => undefined)
    },
    openStudy: (studyInstanceUID) => workstation.events.publish({ type: 'open-study', studyInstanceUID }),
    close: () => workstation.close(),
  }
}

/** Path of the page that shows this study first, or the study list. */
export function startPath(studyInstanceUID: string | null): string {
  return studyInstanceUID === null ? '/' : `/#/study/${studyInstanceUID}`
}
