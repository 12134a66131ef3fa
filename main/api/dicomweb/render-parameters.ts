import { AlcoveError } from '#common/errors.ts'
import type { Window } from '../../dicom/pixels/voi.ts'
import type { SourceRegion } from '../../workstation-render.ts'
import { negotiate } from '../accept.ts'

export type ImageMedia = 'image/png' | 'image/jpeg'

export interface RenderParameters {
  media: ImageMedia
  /** The picture fits into this many pixels, aspect ratio kept; null keeps the image's own size. */
  viewport: { width: number; height: number } | null
  region: SourceRegion | null
  window: Window | null
  /** JPEG quality 1–100. */
  quality: number
}

const MAX_VIEWPORT_PIXELS = 8192
const DEFAULT_QUALITY = 90

function invalid(sentence: string): AlcoveError {
  return new AlcoveError('request/invalid', sentence)
}

function numbersOf(text: string): (number | null)[] {
  return text.split(',').map((part) => (part.trim() === '' ? null : Number(part)))
}

function parseViewport(text: string): Pick<RenderParameters, 'viewport' | 'region'> {
  const values = numbersOf(text)
  const whole = (value: number | null | undefined): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_VIEWPORT_PIXELS
  const [width, height, x = null, y = null, sourceWidth = null, sourceHeight = null] = values
  if ((values.length !== 2 && values.length !== 6) || !whole(width) || !whole(height)) {
    throw invalid('viewport is width,height or width,height,x,y,width,height in pixels.')
  }
  if (values.some((value) => value !== null && !Number.isFinite(value))) throw invalid('viewport takes numbers.')
  if (values.length === 2 || (sourceWidth === null && sourceHeight === null && x === null && y === null)) {
    return { viewport: { width, height }, region: null }
  }
  const region = { x: x ?? 0, y: y ?? 0, width: sourceWidth ?? Infinity, height: sourceHeight ?? Infinity }
  if (region.width === 0 || region.height === 0) throw invalid('The part of the image to show is empty.')
  return { viewport: { width, height }, region }
}

function parseWindow(text: string): Window {
  const [center, width, shape = 'linear'] = text.split(',').map((part) => part.trim())
  const upper = shape.toUpperCase().replaceAll('-', '_')
  if (upper !== 'LINEAR' && upper !== 'LINEAR_EXACT' && upper !== 'SIGMOID') {
    throw invalid('The shape of a window is linear, linear-exact or sigmoid.')
  }
  const window: Window = { center: Number(center), width: Number(width), function: upper }
  const least = upper === 'LINEAR' ? 1 : Number.MIN_VALUE
  if (center === '' || !Number.isFinite(window.center) || !(window.width >= least) || !Number.isFinite(window.width)) {
    throw invalid('window is center,width,shape.')
  }
  return window
}

/**
 * Query parameters of rendered resources, PS3.18 section 8.3.5.
 * @throws request/invalid, request/not-acceptable
 */
export function parseRenderParameters(request: Request, preferred: ImageMedia): RenderParameters {
  const other = preferred === 'image/png' ? 'image/jpeg' : 'image/png'
  const parameters = new URL(request.url).searchParams
  const viewport = parameters.get('viewport')
  const window = parameters.get('window')
  const quality = Number(parameters.get('quality') ?? DEFAULT_QUALITY)
  if (!Number.isInteger(quality) || quality < 1 || quality > 100) throw invalid('quality is 1 to 100.')
  return {
    media: negotiate(request, [preferred, other]),
    ...(viewport === null ? { viewport: null, region: null } : parseViewport(viewport)),
    window: window === null ? null : parseWindow(window),
    quality,
  }
}
