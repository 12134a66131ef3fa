import type { InferenceRun, InstalledModel } from '#common/contract/inference.ts'
import { AlcoveError } from '#common/errors.ts'
import type { Workstation } from '../../workstation.ts'

/** Why a model did not run on a study. */
export interface Refusal {
  studyInstanceUID: string
  model: string
  code: string
  message: string
}

export interface Inferred {
  runs: InferenceRun[]
  refusals: Refusal[]
}

/** The study is not what the model takes: an answer, not a failure. */
const NOT_FOR_THIS = new Set(['model/not-applicable', 'suv/not-computable', 'geometry/unsuitable', 'dicom/no-pixels'])

interface Options {
  signal: AbortSignal
  /** Only these; all installed ones when left out. */
  models?: string[]
  onProgress: (text: string) => void
}

/** The newest version of each model. */
function newest(models: InstalledModel[]): InstalledModel[] {
  const byId = new Map<string, InstalledModel>()
  for (const model of models) {
    const known = byId.get(model.id)
    const newer = known === undefined || model.version.localeCompare(known.version, 'en', { numeric: true }) > 0
    if (newer) byId.set(model.id, model)
  }
  return [...byId.values()]
}

/** Offers every study to every model. @throws what inference throws, a study that does not suit a model excepted */
export async function inferEverything(
  workstation: Workstation,
  studies: string[],
  options: Options,
): Promise<Inferred> {
  const models = newest(await workstation.models.list()).filter(({ id }) => options.models?.includes(id) ?? true)
  if (models.length === 0) throw new AlcoveError('not-found', 'No model is installed; see "alcove models list".')
  const result: Inferred = { runs: [], refusals: [] }
  for (const studyInstanceUID of studies) {
    for (const model of models) {
      try {
        const request = {
          studyInstanceUID,
          seriesInstanceUID: null,
          model: model.id,
          version: model.version,
          provider: null,
        }
        const onProgress = ({ note }: { note: string }): void => options.onProgress(`${model.id}: ${note}`)
        result.runs.push(await workstation.inference.run(request, { signal: options.signal, onProgress }))
      } catch (error) {
        if (!(error instanceof AlcoveError) || !NOT_FOR_THIS.has(error.code)) throw error
        const { code, message } = error
        result.refusals.push({ studyInstanceUID, model: `${model.id}@${model.version}`, code, message })
      }
    }
  }
  return result
}
