import sharp from 'sharp'
import { applyAffine, type Vector3 } from '../../inference/geometry/affine.ts'
import { type Grid, spacingOf } from '../../inference/geometry/grid.ts'
import { Canvas, GLYPH_HEIGHT, type Rgb, textWidth } from './canvas.ts'
import { hot, mix, windowed } from './colour.ts'
import { linearSampler, nearestSampler, type Sampler } from './sample.ts'

export type PlaneName = 'axial' | 'sagittal' | 'coronal'
export const PLANES: readonly PlaneName[] = ['axial', 'sagittal', 'coronal']

export interface PictureVolume {
  grid: Grid
  /** x fastest. */
  data: Float32Array
}

export interface PictureInput {
  /** The series the model ran on. */
  source: PictureVolume & { unit: 'SUVbw' | 'HU' | 'stored' }
  /** CT of the same study and frame of reference, shown below the PET. */
  ct: PictureVolume | null
  /** Segment of each voxel of the source, 0 none; null when nothing was found. */
  labels: Uint8Array | null
  /** Point the planes go through, LPS, mm. */
  centreLps: Vector3
  title: string
}

/** Directions of the picture's right and down in LPS, and the letters at its left, right, top and bottom. */
const VIEWS: Record<PlaneName, { right: Vector3; down: Vector3; letters: [string, string, string, string] }> = {
  axial: { right: [1, 0, 0], down: [0, 1, 0], letters: ['R', 'L', 'A', 'P'] },
  sagittal: { right: [0, 1, 0], down: [0, 0, -1], letters: ['A', 'P', 'S', 'I'] },
  coronal: { right: [1, 0, 0], down: [0, 0, -1], letters: ['R', 'L', 'S', 'I'] },
}

const MAX_PANEL_PIXELS = 720
const MARGIN = 14
const FOOTER = 34
const PET_TOP_SUV = 8
const OUTLINE: Rgb = [0, 229, 255]
const CROSSHAIR: Rgb = [120, 144, 156]
const LABEL: Rgb = [236, 239, 241]
const DARK: Rgb = [38, 50, 56]
const DIM: Rgb = [144, 164, 174]

interface Frame {
  /** mm per pixel, the same both ways: distances in the picture are true. */
  mmPerPixel: number
  width: number
  height: number
  place: (x: number, y: number) => Vector3
  pixelOf: (lps: Vector3) => [number, number]
}

const dot = (a: Vector3, b: Vector3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

/** Air around the patient that stays in the picture, mm. */
const AIR_MM = 15

/**
 * The part of the volume that holds the patient: HU above fat, or one twentieth of what is bright in it. All of the
 * volume when that finds nothing.
 */
function bodyGrid({ grid, data, unit }: PictureInput['source']): Grid {
  const sample: number[] = []
  for (let index = 0; index < data.length; index += 97) sample.push(data[index]!)
  sample.sort((left, right) => left - right)
  const bright = sample[Math.floor(sample.length * 0.98)] ?? 0
  const threshold = unit === 'HU' ? -300 : bright / 20
  const [nx, ny, nz] = grid.size
  const low = [nx, ny, nz]
  const high = [-1, -1, -1]
  for (let index = 0; index < data.length; index++) {
    if (data[index]! <= threshold) continue
    const voxel = [index % nx, Math.floor(index / nx) % ny, Math.floor(index / (nx * ny))]
    for (const axis of [0, 1, 2]) {
      low[axis] = Math.min(low[axis]!, voxel[axis]!)
      high[axis] = Math.max(high[axis]!, voxel[axis]!)
    }
  }
  if (high[0]! < 0) return grid
  const spacing = spacingOf(grid)
  const margin = spacing.map((mm) => Math.ceil(AIR_MM / mm))
  const from = ([0, 1, 2] as const).map((axis) => Math.max(0, low[axis]! - margin[axis]!)) as [number, number, number]
  const to = ([0, 1, 2] as const).map((axis) => Math.min(grid.size[axis] - 1, high[axis]! + margin[axis]!))
  const origin = applyAffine(grid.toLps, from)
  const a = grid.toLps
  return {
    size: [to[0]! - from[0] + 1, to[1]! - from[1] + 1, to[2]! - from[2] + 1],
    toLps: [a[0], a[1], a[2], origin[0], a[4], a[5], a[6], origin[1], a[8], a[9], a[10], origin[2]],
  }
}

/** Bounds of a grid's voxels in LPS. */
function bounds({ size, toLps }: Grid): { low: Vector3; high: Vector3 } {
  const corners = Array.from({ length: 8 }, (_, corner) =>
    applyAffine(toLps, [
      corner & 1 ? size[0] - 0.5 : -0.5,
      corner & 2 ? size[1] - 0.5 : -0.5,
      corner & 4 ? size[2] - 0.5 : -0.5,
    ]),
  )
  const along = (axis: 0 | 1 | 2): number[] => corners.map((corner) => corner[axis])
  const pick = (choose: (...values: number[]) => number): Vector3 => [
    choose(...along(0)),
    choose(...along(1)),
    choose(...along(2)),
  ]
  return { low: pick(Math.min), high: pick(Math.max) }
}

function frameOf(plane: PlaneName, grid: Grid, centre: Vector3): Frame {
  const { right, down } = VIEWS[plane]
  const { low, high } = bounds(grid)
  const range = (direction: Vector3): [number, number] => {
    const ends = [dot(low, direction), dot(high, direction)]
    return [Math.min(...ends), Math.max(...ends)]
  }
  const [left, rightEnd] = range(right)
  const [top, bottom] = range(down)
  const mmPerPixel = Math.max(rightEnd - left, bottom - top) / MAX_PANEL_PIXELS
  const through = (x: number, y: number): Vector3 => {
    const h = left + (x + 0.5) * mmPerPixel
    const v = top + (y + 0.5) * mmPerPixel
    const component = (axis: 0 | 1 | 2): number => {
      if (right[axis] !== 0) return h * right[axis]
      return down[axis] === 0 ? centre[axis] : v * down[axis]
    }
    return [component(0), component(1), component(2)]
  }
  return {
    mmPerPixel,
    width: Math.round((rightEnd - left) / mmPerPixel),
    height: Math.round((bottom - top) / mmPerPixel),
    place: through,
    pixelOf: (lps) => [
      Math.round((dot(lps, right) - left) / mmPerPixel - 0.5),
      Math.round((dot(lps, down) - top) / mmPerPixel - 0.5),
    ],
  }
}

type Paint = (lps: Vector3) => Rgb

interface Panel {
  name: string
  paint: Paint
  /** Colour of the letters: dark on an inverted PET. */
  ink: Rgb
}

function grey(value: number): Rgb {
  return [value, value, value]
}

/** How each panel looks: PET beside the PET/CT fusion, or the one image there is. */
function panels(input: PictureInput): Panel[] {
  const source = linearSampler(input.source.grid, input.source.data)
  if (input.source.unit === 'SUVbw') {
    const pet: Paint = (lps) => grey(255 - windowed(source(lps) ?? 0, PET_TOP_SUV / 2, PET_TOP_SUV))
    if (input.ct === null) return [{ name: `PET SUV 0-${PET_TOP_SUV}`, paint: pet, ink: DARK }]
    const ct = linearSampler(input.ct.grid, input.ct.data)
    const fused: Paint = (lps) => {
      const below = grey(windowed(ct(lps) ?? -1000, 40, 400))
      const t = Math.max(0, Math.min(1, (source(lps) ?? 0) / PET_TOP_SUV))
      return mix(below, hot(t), Math.min(0.75, t * 1.5))
    }
    return [
      { name: `PET/CT SUV 0-${PET_TOP_SUV}`, paint: fused, ink: LABEL },
      { name: `PET SUV 0-${PET_TOP_SUV}`, paint: pet, ink: DARK },
    ]
  }
  if (input.source.unit === 'HU') {
    return [{ name: 'CT 400/40', paint: (lps) => grey(windowed(source(lps) ?? -1000, 40, 400)), ink: LABEL }]
  }
  const sorted = input.source.data.slice().sort()
  const low = sorted[Math.floor(sorted.length * 0.01)]!
  const high = sorted[Math.floor(sorted.length * 0.995)]!
  const width = Math.max(high - low, 1e-6)
  return [{ name: 'IMAGE', paint: (lps) => grey(windowed(source(lps) ?? low, low + width / 2, width)), ink: LABEL }]
}

/** A two-pixel line where the label changes. */
function outline(canvas: Canvas, frame: Frame, left: number, labels: Sampler): void {
  const inside = new Uint8Array(frame.width * frame.height)
  for (let y = 0; y < frame.height; y++) {
    for (let x = 0; x < frame.width; x++) inside[y * frame.width + x] = (labels(frame.place(x, y)) ?? 0) > 0 ? 1 : 0
  }
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= frame.width || y >= frame.height ? 0 : inside[y * frame.width + x]!
  for (let y = 0; y < frame.height; y++) {
    for (let x = 0; x < frame.width; x++) {
      const border = at(x, y) === 0 && (at(x - 1, y) || at(x + 1, y) || at(x, y - 1) || at(x, y + 1))
      if (border) canvas.fill(left + x, MARGIN + y, 2, 2, OUTLINE)
    }
  }
}

/** Lines through the point, with a gap around it so that they do not cover what they point at. */
function crosshair(canvas: Canvas, frame: Frame, left: number, centre: Vector3): void {
  const [cx, cy] = frame.pixelOf(centre)
  const gap = Math.max(24, Math.round(30 / frame.mmPerPixel))
  for (let x = 0; x < frame.width; x += 2) {
    if (Math.abs(x - cx) > gap) canvas.set(left + x, MARGIN + cy, CROSSHAIR)
  }
  for (let y = 0; y < frame.height; y += 2) {
    if (Math.abs(y - cy) > gap) canvas.set(left + cx, MARGIN + y, CROSSHAIR)
  }
}

function letters(canvas: Canvas, frame: Frame, left: number, plane: PlaneName, ink: Rgb): void {
  const [west, east, north, south] = VIEWS[plane].letters
  const middleY = MARGIN + Math.round(frame.height / 2) - GLYPH_HEIGHT
  const middleX = left + Math.round(frame.width / 2) - 6
  canvas.text(left + 6, middleY, west, ink)
  canvas.text(left + frame.width - 18, middleY, east, ink)
  canvas.text(middleX, MARGIN + 6, north, ink)
  canvas.text(middleX, MARGIN + frame.height - 22, south, ink)
}

function scaleBar(canvas: Canvas, frame: Frame, left: number, ink: Rgb): void {
  const length = Math.round(50 / frame.mmPerPixel)
  const y = MARGIN + frame.height - 14
  const x = left + frame.width - length - 12
  canvas.fill(x, y, length, 2, ink)
  canvas.text(x, y - 18, '50 MM', ink, 1)
}

/** One plane through the finding as PNG, in true proportions (equal mm per pixel both ways). */
export async function drawPlane(plane: PlaneName, input: PictureInput): Promise<Buffer> {
  const frame = frameOf(plane, bodyGrid(input.source), input.centreLps)
  const shown = panels(input)
  const width = MARGIN + shown.length * (frame.width + MARGIN)
  const canvas = new Canvas(width, MARGIN + frame.height + FOOTER)
  canvas.fill(0, 0, canvas.width, canvas.height, [13, 17, 23])
  const labels = input.labels === null ? null : nearestSampler(input.source.grid, input.labels)
  shown.forEach(({ name, paint, ink }, index) => {
    const left = MARGIN + index * (frame.width + MARGIN)
    for (let y = 0; y < frame.height; y++) {
      for (let x = 0; x < frame.width; x++) canvas.set(left + x, MARGIN + y, paint(frame.place(x, y)))
    }
    crosshair(canvas, frame, left, input.centreLps)
    if (labels !== null) outline(canvas, frame, left, labels)
    letters(canvas, frame, left, plane, ink)
    scaleBar(canvas, frame, left, ink)
    canvas.text(left + 6, MARGIN + 6, name, ink)
  })
  const y = MARGIN + frame.height + 12
  const caption = `${plane} - ${input.title}`
  const notice = 'RESEARCH USE ONLY'
  const size = textWidth(`${caption}  ${notice}`) + 2 * MARGIN < width ? 2 : 1
  canvas.text(MARGIN, y, caption, DIM, size)
  canvas.text(width - MARGIN - textWidth(notice, size), y, notice, DIM, size)
  return sharp(Buffer.from(canvas.pixels), { raw: { width: canvas.width, height: canvas.height, channels: 3 } })
    .png({ compressionLevel: 8 })
    .toBuffer()
}
