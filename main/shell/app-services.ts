import type { StudyInstanceUID } from '#common/ids.ts'
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

/** Path of the page that shows this study first, or the study list. */
export function startPath(studyInstanceUID: string | null): string {
  return studyInstanceUID === null ? '/' : `/#/study/${studyInstanceUID}`
}
