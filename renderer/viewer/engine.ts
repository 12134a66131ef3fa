import * as core from '@cornerstonejs/core'
import { init as initLoader } from '@cornerstonejs/dicom-image-loader'
import * as tools from '@cornerstonejs/tools'
import type { Settings } from '#common/contract/settings.ts'
import { glRenderer, isSoftwareRenderer } from './gl-renderer.ts'
import { installMetadataProvider } from './metadata-provider.ts'
import { installImageLoader } from './series-data.ts'
import { installTools } from './tools.ts'

export interface GraphicsInfo {
  /** What the browser calls its GL renderer; null when there is none. */
  renderer: string | null
  software: boolean
  /** Renderer of stacks and planes. */
  planar: 'cpu' | 'gpu'
}

const ENGINE_ID = 'alcove'
/** Bytes; the study on screen is what bounds memory, not this. */
const CACHE_LIMIT = 8 * 1024 * 1024 * 1024

let graphics: GraphicsInfo | null = null
let engine: core.RenderingEngine | null = null
let starting: Promise<GraphicsInfo> | null = null

async function start(setting: Settings['renderBackend']): Promise<GraphicsInfo> {
  const renderer = glRenderer()
  const software = isSoftwareRenderer(renderer)
  const planar = setting === 'auto' ? (software ? 'cpu' : 'gpu') : renderer === null ? 'cpu' : setting
  core.init({
    rendering: {
      useGenericViewport: true,
      planar: { renderBackend: planar },
      webGlContextCount: 1,
      ...(software ? { volumeRendering: { sampleDistanceMultiplier: 4 } } : {}),
    },
    debug: { statsOverlay: false },
  })
  // The next-generation 3-D viewport cannot take extra actors; finding surfaces need the one that can.
  const remap = (core.BaseRenderingEngine as unknown as { NEXT_TYPE_REMAP: Record<string, unknown> }).NEXT_TYPE_REMAP
  delete remap[core.Enums.ViewportType.VOLUME_3D]
  core.cache.setMaxCacheSize(CACHE_LIMIT)
  installMetadataProvider()
  initLoader({ maxWebWorkers: Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 2) - 1)) })
  installImageLoader()
  tools.init()
  installTools()
  engine = new core.RenderingEngine(ENGINE_ID)
  graphics = { renderer, software, planar }
  await Promise.resolve()
  return graphics
}

/** Starts cornerstone once; later calls give the same answer. */
export function startEngine(setting: Settings['renderBackend']): Promise<GraphicsInfo> {
  starting ??= start(setting)
  return starting
}

export function renderingEngine(): core.RenderingEngine {
  if (engine === null) throw new Error('startEngine() must have finished first')
  return engine
}

export function graphicsInfo(): GraphicsInfo | null {
  return graphics
}
