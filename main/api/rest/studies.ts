import type { StudyInstanceUID } from '#common/ids.ts'
import { seriesInstanceUID, studyInstanceUID } from '#common/ids.ts'
import { calibrate } from '#common/dicom/calibrate.ts'
import { AlcoveError } from '#common/errors.ts'
import type { StudyDetail } from '#common/contract/studies.ts'
import type { Workstation } from '../../workstation.ts'
import type { Handlers } from './handler.ts'

/** @throws not-found */
export function requireStudy(workstation: Workstation, uid: string): { uid: StudyInstanceUID; study: StudyDetail } {
  const parsed = studyInstanceUID(uid)
  const study = workstation.studies.study(parsed)
  if (study === null) throw new AlcoveError('not-found', 'There is no such study here.')
  return { uid: parsed, study }
}

export const studyHandlers: Pick<
  Handlers,
  'listStudies' | 'getStudy' | 'deleteStudy' | 'openStudy' | 'listRuns' | 'calibration'
> = {
  listStudies({ query }, { workstation }) {
    const { search, sort, descending, modality, limit, offset } = query
    return workstation.studies.listStudies({
      match: modality === undefined || modality === '' ? {} : { ModalitiesInStudy: modality.replaceAll(',', '\\') },
      ...(search === undefined ? {} : { search }),
      ...(sort === undefined ? {} : { sort }),
      ...(descending === undefined ? {} : { descending }),
      limit,
      offset,
    })
  },

  getStudy: ({ params }, { workstation }) => requireStudy(workstation, params.study).study,

  async deleteStudy({ params }, { workstation, logger }) {
    const { uid } = requireStudy(workstation, params.study)
    await workstation.studies.deleteStudy(uid)
    logger.info({ studyInstanceUID: uid }, 'Study deleted')
  },

  openStudy({ params }, { workstation }) {
    const { uid } = requireStudy(workstation, params.study)
    workstation.events.publish({ type: 'open-study', studyInstanceUID: uid })
  },

  listRuns({ params }, { workstation }) {
    const { uid } = requireStudy(workstation, params.study)
    return { runs: workstation.studies.inferenceRuns(uid) }
  },

  async calibration({ params }, { workstation }) {
    const { uid } = requireStudy(workstation, params.study)
    const series = seriesInstanceUID(params.series)
    const datasets = await workstation.studies.metadata(uid, { seriesInstanceUID: series })
    if (datasets.length === 0) throw new AlcoveError('not-found', 'There is no such series in this study.')
    return calibrate(datasets)
  },
}
