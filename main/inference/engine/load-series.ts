import type { ModelInput, ModelManifest } from '#common/model/manifest.ts'
import { AlcoveError } from '#common/errors.ts'
import type { DisplayImage } from './classify.ts'
import type { RunContext } from './context.ts'
import type { SeriesVolume } from './segment.ts'
import type { OpenSeries } from './series-reader.ts'

export async function loadVolume(_s: OpenSeries, _i: ModelInput, _c: RunContext): Promise<SeriesVolume> {
  throw new AlcoveError('inference/failed', 'not yet')
}
export async function loadDisplayImages(
  _s: OpenSeries,
  _m: ModelManifest,
  _c: RunContext,
): Promise<{ images: DisplayImage[]; warnings: string[] }> {
  throw new AlcoveError('inference/failed', 'not yet')
}
