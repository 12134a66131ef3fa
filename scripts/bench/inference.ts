import { join } from 'node:path'
import { seriesInstanceUID, studyInstanceUID } from '#common/ids.ts'
import { APP_PATHS } from '#main/app-paths.ts'
import type { RunContext } from '#main/inference/engine/context.ts'
import { loadVolume } from '#main/inference/engine/load-series.ts'
import { measureOverhead } from '#main/inference/engine/overhead.ts'
import { openSeries } from '#main/inference/engine/series-reader.ts'
import { readManifest } from '#main/models/package.ts'
import type { Workstation } from '#main/workstation.ts'
import type { Figure } from './report.ts'

const REPEATS = 3

const quiet: RunContext = { pause: async () => undefined, progress: () => undefined, timings: [] }

/** What the engine adds to the bare runtime on the very same tensors, on the CPU, over a stored PET series. */
export async function benchInference(workstation: Workstation, study: string, petSeries: string): Promise<Figure[]> {
  const directory = join(APP_PATHS.bundledModels, 'pet-lesion')
  const uid = studyInstanceUID(study)
  const series = await openSeries(
    {
      capsule: workstation.studies.capsuleAccess(uid),
      seriesInstanceUID: petSeries,
      instances: workstation.studies.capsuleInstances(uid, seriesInstanceUID(petSeries)),
    },
    quiet.pause,
  )
  const volume = await loadVolume(series, await readManifest(directory), quiet)
  series.close()
  const measured = await measureOverhead(volume, directory, REPEATS)
  return [
    { name: 'pet-lesion: bare runtime on the same tensors', value: measured.bareMs / 1000, unit: 's' },
    { name: 'pet-lesion: inference step of the engine', value: measured.inferenceMs / 1000, unit: 's' },
    {
      name: 'pet-lesion: inference step against the bare runtime',
      value: measured.inferenceMs / measured.bareMs,
      unit: '×',
      aim: { atMost: 1.1 },
    },
    {
      name: 'pet-lesion: whole run but reading against the bare runtime',
      value: measured.totalMs / measured.bareMs,
      unit: '×',
    },
  ]
}
