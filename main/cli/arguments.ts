import { AlcoveError } from '#common/errors.ts'
import { isUid, studyInstanceUID, type StudyInstanceUID } from '#common/ids.ts'
import type { StudyDetail } from '#common/contract/studies.ts'
import type { Workstation } from '../workstation.ts'
import { usageError } from './output.ts'

/** @throws usage/invalid when `text` is no UID */
export function studyArgument(text: string): StudyInstanceUID {
  if (!isUid(text)) throw usageError('STUDY is a Study Instance UID, as "alcove studies" lists them.')
  return studyInstanceUID(text)
}

/** @throws usage/invalid, not-found */
export function findStudy(workstation: Workstation, text: string): StudyDetail {
  const study = workstation.studies.study(studyArgument(text))
  if (study === null) throw new AlcoveError('not-found', 'There is no such study here.')
  return study
}

/** "pet-lesion@1.2.0" → id and version. */
export function modelArgument(text: string): { id: string; version: string | null } {
  const parts = /^([a-z0-9]+(?:-[a-z0-9]+)*)(?:@(\d+\.\d+\.\d+))?$/.exec(text)
  if (parts === null) throw usageError('A model is named ID or ID@VERSION, for example pet-lesion@1.0.0.')
  return { id: parts[1]!, version: parts[2] ?? null }
}
