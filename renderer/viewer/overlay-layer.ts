import { type ColourMapName, colourTable } from './colour-maps.ts'
import type { LabelVolume } from './label-volume.ts'
import type { Plane, ScreenPlane, VoiRange } from './planar-view.ts'
import { indexMap, sliceLabels, sliceValues, touched } from './reslice.ts'
import type { SeriesData } from './series-data.ts'
import { dot, sub, type Vec3 } from './vector.ts'
import { indexToWorld, type VolumeGeometry } from './volume-geometry.ts'

export interface FusionLayer {
  data: SeriesData
  voi: VoiRange
  colourMap: ColourMapName
  /** 0–1. */
  opacity: number
}

export interface LabelLayer {
  volume: LabelVolume
  /** 0–1, of the filling; outlines are drawn whole. */
  opacity: number
  /** Segment drawn with a thicker outline; null for none. */
  selected: number | null
  hidden: ReadonlySet<number>
}

interface CrosshairLine {
  plane: Plane
  normal: Vec3
}

export interface OverlayContent {
  /** Grid of the plane's own series: everything outside it is black, not the lowest value in grey. */
  extent: VolumeGeometry | null
  fusion: FusionLayer | null
  labels: LabelLayer[]
  crosshair: { focus: Vec3; lines: CrosshairLine[] } | null
}

/** Planes as everywhere in the field: axial red, sagittal yellow, coronal green. */
const PLANE_COLOURS: Record<Plane, string> = { axial: '#ff5d5d', sagittal: '#ffd34d', coronal: '#5ddc83' }

/** Screen pixels per sample of a fused image: half resolution is smoothed on drawing, at a quarter of the work. */
const FUSION_STEP = 2
/** Gap around the focus, CSS pixels, so that the crosshair does not hide what it points at. */
const CROSSHAIR_GAP = 14

/**
 * What lies over the image of one pane: a fused second series, segments and the crosshair, resampled on the plane the
 * pane shows. It knows only screen and patient coordinates, so it is the same over every renderer.
 */
export class OverlayLayer {
  readonly #canvas: HTMLCanvasElement
  readonly #scratch = document.createElement('canvas')
  readonly #tables = new Map<ColourMapName, Uint8Array>()

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas
  }

  draw(plane: ScreenPlane | null, content: OverlayContent): void {
    const width = this.#canvas.clientWidth
    const height = this.#canvas.clientHeight
    const ratio = window.devicePixelRatio || 1
    if (this.#canvas.width !== Math.round(width * ratio) || this.#canvas.height !== Math.round(height * ratio)) {
      this.#canvas.width = Math.round(width * ratio)
      this.#canvas.height = Math.round(height * ratio)
    }
    const context = this.#canvas.getContext('2d')
    if (context === null) return
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    if (plane === null) return
    if (content.extent !== null) blackOutside(context, plane, content.extent, width, height)
    if (content.fusion !== null) this.#fusion(context, plane, content.fusion, width, height)
    let drawn = 0
    for (const layer of content.labels) drawn += this.#labels(context, plane, layer, width, height)
    this.#canvas.dataset['labelPixels'] = String(drawn)
    if (content.crosshair !== null) crosshair(context, plane, content.crosshair, width, height)
  }

  #table(name: ColourMapName): Uint8Array {
    const table = this.#tables.get(name) ?? colourTable(name)
    this.#tables.set(name, table)
    return table
  }

  #fusion(
    context: CanvasRenderingContext2D,
    plane: ScreenPlane,
    layer: FusionLayer,
    width: number,
    height: number,
  ): void {
    const { data, voi } = layer
    if (!data.verdict.ok || data.voxels === null || layer.opacity <= 0) return
    const { geometry } = data.verdict
    const box = touched(plane, geometry, width, height)
    if (box === null) return
    const sampled = sliceValues(data.voxels, geometry, indexMap(plane, geometry), box, FUSION_STEP)
    const table = this.#table(layer.colourMap)
    const image = new ImageData(sampled.width, sampled.height)
    const span = Math.max(1e-6, voi.upper - voi.lower)
    for (let at = 0; at < sampled.values.length; at++) {
      const value = sampled.values[at]!
      if (Number.isNaN(value)) continue
      const level = Math.min(255, Math.max(0, Math.round(((value - voi.lower) / span) * 255)))
      image.data[at * 4] = table[level * 3]!
      image.data[at * 4 + 1] = table[level * 3 + 1]!
      image.data[at * 4 + 2] = table[level * 3 + 2]!
      // Cold regions let the anatomy through.
      image.data[at * 4 + 3] = Math.min(255, level * 3)
    }
    context.globalAlpha = layer.opacity
    context.imageSmoothingEnabled = true
    this.#stamp(context, image, box.left, box.top, sampled.width * FUSION_STEP, sampled.height * FUSION_STEP)
    context.globalAlpha = 1
  }

  #labels(
    context: CanvasRenderingContext2D,
    plane: ScreenPlane,
    layer: LabelLayer,
    width: number,
    height: number,
  ): number {
    const { volume } = layer
    const box = touched(plane, volume.geometry, width, height)
    if (box === null) return 0
    // One pixel of margin so that outlines at the edge of the box close.
    const wide = { left: box.left - 1, top: box.top - 1, right: box.right + 1, bottom: box.bottom + 1 }
    const columns = wide.right - wide.left
    const rows = wide.bottom - wide.top
    const labels = sliceLabels(volume.labels, volume.geometry, indexMap(plane, volume.geometry), wide)
    const image = new ImageData(columns, rows)
    const colours = new Map(volume.segments.map((segment) => [segment.number, segment.colorRgb]))
    let drawn = 0
    for (let y = 0, at = 0; y < rows; y++)
      for (let x = 0; x < columns; x++, at++) {
        const label = labels[at]!
        if (label === 0 || layer.hidden.has(label)) continue
        drawn++
        const reach = label === layer.selected ? 2 : 1
        const edge =
          labels[at - reach] !== label ||
          labels[at + reach] !== label ||
          labels[at - reach * columns] !== label ||
          labels[at + reach * columns] !== label
        const [r, g, b] = colours.get(label) ?? [255, 170, 60]
        image.data[at * 4] = r
        image.data[at * 4 + 1] = g
        image.data[at * 4 + 2] = b
        image.data[at * 4 + 3] = edge ? 255 : Math.round(layer.opacity * 255)
      }
    if (drawn > 0) this.#stamp(context, image, wide.left, wide.top, columns, rows)
    return drawn
  }

  #stamp(
    context: CanvasRenderingContext2D,
    image: ImageData,
    x: number,
    y: number,
    width: number,
    height: number,
  ): void {
    this.#scratch.width = image.width
    this.#scratch.height = image.height
    this.#scratch.getContext('2d')?.putImageData(image, 0, 0)
    context.drawImage(this.#scratch, x, y, width, height)
  }
}

/** Paints everything but the cut through the grid, whose sides are parallel to the screen's. */
function blackOutside(
  context: CanvasRenderingContext2D,
  plane: ScreenPlane,
  geometry: VolumeGeometry,
  width: number,
  height: number,
): void {
  const aligned = geometry.axes.every((axis) => {
    const along = [plane.right, plane.down, plane.normal].map((side) => Math.abs(dot(axis, side)) / Math.hypot(...side))
    return Math.max(...along) > 0.9999
  })
  if (!aligned) return
  const corners = [-0.5, 1].map((end) =>
    indexToWorld(geometry, geometry.dimensions.map((count) => (end < 0 ? -0.5 : count - 0.5)) as Vec3),
  )
  const place = (side: Vec3): [number, number] => {
    const at = corners.map((corner) => dot(sub(corner, plane.origin), side) / dot(side, side))
    return [Math.min(...at), Math.max(...at)]
  }
  const [left, right] = place(plane.right)
  const [top, bottom] = place(plane.down)
  context.fillStyle = '#000'
  context.fillRect(0, 0, width, Math.max(0, top))
  context.fillRect(0, bottom, width, Math.max(0, height - bottom))
  context.fillRect(0, 0, Math.max(0, left), height)
  context.fillRect(right, 0, Math.max(0, width - right), height)
}

function crosshair(
  context: CanvasRenderingContext2D,
  plane: ScreenPlane,
  { focus, lines }: { focus: Vec3; lines: CrosshairLine[] },
  width: number,
  height: number,
): void {
  const from = sub(focus, plane.origin)
  const x = dot(from, plane.right) / dot(plane.right, plane.right)
  const y = dot(from, plane.down) / dot(plane.down, plane.down)
  const reach = width + height
  for (const line of lines) {
    // The other plane meets this one along a line perpendicular to its normal.
    const across = dot(line.normal, plane.right)
    const along = dot(line.normal, plane.down)
    const size = Math.hypot(across, along)
    if (size < 1e-9) continue
    const [dx, dy] = [-along / size, across / size]
    context.strokeStyle = PLANE_COLOURS[line.plane]
    context.globalAlpha = 0.75
    context.lineWidth = 1
    context.beginPath()
    for (const side of [-1, 1]) {
      context.moveTo(x + dx * side * CROSSHAIR_GAP, y + dy * side * CROSSHAIR_GAP)
      context.lineTo(x + dx * side * reach, y + dy * side * reach)
    }
    context.stroke()
    context.globalAlpha = 1
  }
}
