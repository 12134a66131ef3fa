import { problemOf } from '#common/contract/client.ts'
import { calibrate } from '#common/dicom/calibrate.ts'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { AlcoveError } from '#common/errors.ts'
import type { SeriesAddress } from './fetch-frames.ts'
import { framesOfSeries } from './frames-of-series.ts'
import { SeriesData } from './series-data.ts'

/**
 * Reads the headers of a series and makes room for its pixels; nothing of them is loaded yet.
 * @throws AlcoveError dicom/no-pixels when the series holds no images
 */
export async function openSeries(address: SeriesAddress, signal: AbortSignal): Promise<SeriesData> {
  const url = `/dicom-web/studies/${address.studyInstanceUID}/series/${address.seriesInstanceUID}/metadata`
  const response = await fetch(url, { headers: { Accept: 'application/dicom+json' }, signal })
  if (!response.ok) throw await problemOf(response)
  const datasets = (await response.json()) as DicomJsonDataset[]
  const series = framesOfSeries(datasets, calibrate(datasets))
  if (series.frames.length === 0)
    throw new AlcoveError('dicom/no-pixels', 'This series holds no images: a report, a plan or a segmentation.')
  return new SeriesData(address, series)
}
