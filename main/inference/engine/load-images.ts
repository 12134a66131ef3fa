import { AlcoveError } from '#common/errors.ts'
import type { ModelManifest } from '#common/model/manifest.ts'
import type { DisplayImage } from './classify.ts'
import type { RunContext } from './context.ts'
import type { OpenSeries } from './series-reader.ts'

export async function loadDisplayImages(
  _series: OpenSeries,
  _manifest: ModelManifest,
  _context: RunContext,
): Promise<{ images: DisplayImage[]; warnings: string[] }> {
  throw new AlcoveError('inference/failed', 'not yet')
}
