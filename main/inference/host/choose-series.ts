import { number, type DicomJsonDataset } from '#common/dicom/json.ts'
import { seriesInstanceUID, type SeriesInstanceUID, type StudyInstanceUID } from '#common/ids.ts'
import { AlcoveError } from '#common/errors.ts'
import type { SeriesSummary } from '#common/contract/studies.ts'
import type { ModelManifest } from '#common/model/manifest.ts'
import type { ReadableStudies } from '../../studies/types.ts'

export interface ChosenSeries {
  seriesInstanceUID: SeriesInstanceUID
  warnings: string[]
}

/** A volume of fewer slices is a localiser or a fragment. */
const MIN_SLICES = 3

function values(dataset: DicomJsonDataset, tag: string): string[] {
  return (dataset[tag]?.Value ?? []).flatMap((value) => (typeof value === 'string' ? [value.trim().toUpperCase()] : []))
}

/**
 * How well a series suits a 3-D model, higher is better: original images before derived ones, corrected PET before
 * uncorrected (whose values are no SUV), thin slices before thick.
 */
function quality(dataset: DicomJsonDataset): number {
  const imageType = values(dataset, '00080008')
  const corrected = values(dataset, '00280051')
  const thickness = number(dataset, '00180050') ?? 10
  return (
    (imageType.includes('LOCALIZER') ? -1000 : 0) +
    (imageType[0] === 'ORIGINAL' ? 100 : 0) +
    (corrected.includes('ATTN') ? 500 : 0) -
    Math.min(thickness, 50)
  )
}

/**
 * The series a model runs on. One asked for by UID must be of the model's modality; otherwise the best one by
 * `quality`, and among equals the one with the most frames. Several candidates are told as a warning.
 * @throws not-found (study, series), model/not-applicable
 */
export async function chooseSeries(
  studies: ReadableStudies,
  study: StudyInstanceUID,
  asked: string | null,
  manifest: ModelManifest,
): Promise<ChosenSeries> {
  const detail = studies.study(study)
  if (detail === null) throw new AlcoveError('not-found', 'There is no such study here.')
  const modalities = new Set(manifest.inputs.flatMap((input) => input.modalities))
  const wanted = [...modalities].join(' or ')
  const suits = ({ modality, frames }: SeriesSummary): boolean =>
    modalities.has(modality) && frames >= (manifest.dimensions === 3 ? MIN_SLICES : 1)
  if (asked !== null) {
    const series = detail.seriesList.find((one) => one.seriesInstanceUID === asked)
    if (series === undefined) throw new AlcoveError('not-found', 'There is no such series in the study.')
    if (!modalities.has(series.modality))
      throw new AlcoveError('model/not-applicable', `The model reads ${wanted}; this series is ${series.modality}.`)
    if (!suits(series))
      throw new AlcoveError('model/not-applicable', `The series has ${series.frames} images, too few for a volume.`)
    return { seriesInstanceUID: seriesInstanceUID(asked), warnings: [] }
  }
  const candidates = detail.seriesList.filter(suits)
  if (candidates.length === 0)
    throw new AlcoveError(
      'model/not-applicable',
      `The model reads ${wanted}${manifest.dimensions === 3 ? ' volumes' : ''}; the study has none.`,
    )
  const rated = await Promise.all(
    candidates.map(async (series) => {
      const uid = seriesInstanceUID(series.seriesInstanceUID)
      // One candidate needs no header to be chosen.
      const [first] = candidates.length === 1 ? [] : studies.instances(study, uid)
      const [dataset] =
        first === undefined ? [] : await studies.metadata(study, { sopInstanceUID: first.sopInstanceUID })
      return { series, uid, quality: dataset === undefined ? 0 : quality(dataset) }
    }),
  )
  rated.sort((a, b) => b.quality - a.quality || b.series.frames - a.series.frames)
  const [best] = rated
  if (best === undefined) throw new AlcoveError('not-found', 'The study has no series.')
  const warnings =
    rated.length === 1
      ? []
      : [
          `The study has ${rated.length} series the model could read; series ${best.series.seriesNumber ?? '?'} was chosen.`,
        ]
  return { seriesInstanceUID: best.uid, warnings }
}
