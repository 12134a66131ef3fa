import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from '#common/dicom/json.ts'
import { writePart10 } from '../dicom/write/part10.ts'
import {
  CT_OFFSET,
  ctHeader,
  HALF_LIFE_SECONDS,
  identity,
  INJECTED_BQ,
  petHeader,
  UPTAKE_SECONDS,
  WEIGHT_KG,
  type StudyIdentity,
  type Volume,
} from './headers.ts'
import { TORSO } from './phantom.ts'
import { addNoise } from './random.ts'
import { inLesion, lesionVolumeMl, type Scene } from './scene.ts'
import { drawSlice, type Shape, type SliceGrid } from './shapes.ts'
import { THIGHS } from './thighs.ts'

export interface LesionTruth {
  label: string
  /** DICOM patient coordinates, mm. */
  centreLps: readonly [number, number, number]
  radiiMm: readonly [number, number, number]
  /** Of the ellipsoid. */
  volumeMl: number
  /** Uptake before blurring and noise. */
  suv: number
  /** 1 where a PET voxel's centre lies in the lesion: slices × rows × columns, slices from low to high z. */
  maskOnPetGrid: Uint8Array
  pet: Volume
}

export interface DemoStudy {
  studyInstanceUID: string
  ctSeriesInstanceUID: string
  petSeriesInstanceUID: string
  files: string[]
  truth: LesionTruth
}

const SLICE_MM = 3.27
const SLICES = 100

/** A square grid centred on the patient's axis. */
function volume(size: number, spacing: number, slices: number, sliceMm: number, lowest: number): Volume {
  const first = Math.round(-((size - 1) / 2) * spacing * 1e4) / 1e4
  return {
    rows: size,
    columns: size,
    slices,
    spacingMm: [spacing, spacing, sliceMm],
    originLps: [first, first, lowest],
  }
}

const SCENES = { torso: TORSO, thighs: THIGHS } as const

export type DemoScene = keyof typeof SCENES

function ctVolume(scene: Scene): Volume {
  return volume(256, 1.953125, SLICES, SLICE_MM, scene.lowestMm)
}

function petVolume(scene: Scene): Volume {
  return volume(128, 4.07283, SLICES, SLICE_MM, scene.lowestMm)
}

const CT_NOISE_HU = 14
/** Point spread of the simulated scanner, full width at half maximum. */
const PSF_MM = 6
/** Noise before the point spread, which takes about three quarters of it: 10 % remain in the liver. */
const PET_NOISE = 0.5

/** What is true about the study's lesion; the same for every seed. */
export function demoTruth(name: DemoScene = 'torso'): LesionTruth {
  const { lesion } = SCENES[name]
  const pet = petVolume(SCENES[name])
  const { rows, columns, slices, spacingMm, originLps } = pet
  const maskOnPetGrid = new Uint8Array(slices * rows * columns)
  let at = 0
  for (let k = 0; k < slices; k += 1) {
    const z = originLps[2] + k * spacingMm[2]
    for (let row = 0; row < rows; row += 1) {
      const y = originLps[1] + row * spacingMm[1]
      for (let column = 0; column < columns; column += 1, at += 1)
        if (inLesion(lesion, originLps[0] + column * spacingMm[0], y, z)) maskOnPetGrid[at] = 1
    }
  }
  return {
    label: lesion.label,
    centreLps: lesion.centre,
    radiiMm: lesion.radii,
    volumeMl: lesionVolumeMl(lesion),
    suv: lesion.tissue.suv,
    maskOnPetGrid,
    pet,
  }
}

/**
 * Writes an invented PET/CT study with one FDG-avid mass into `directory` (CT/ and PT/, created when missing; nothing
 * else is put there): a torso with a mass in the lung among organs that take up FDG too, or thighs with a mass in the
 * muscles. The same seed gives the same bytes.
 */
export async function generateDemoStudy(
  directory: string,
  options: { seed?: number; scene?: DemoScene; signal?: AbortSignal } = {},
): Promise<DemoStudy> {
  const seed = options.seed ?? 1
  const name = options.scene ?? 'torso'
  const scene = SCENES[name]
  const study = identity(name === 'torso' ? `alcove-demo ${seed}` : `alcove-demo ${name} ${seed}`)
  const shapes = scene.shapes(seed)
  const { signal } = options
  const ct = await writeCt({
    directory: join(directory, 'CT'),
    study,
    scene,
    shapes,
    volume: ctVolume(scene),
    seed,
    signal,
  })
  const pet = await writePet({
    directory: join(directory, 'PT'),
    study,
    scene,
    shapes,
    volume: petVolume(scene),
    seed,
    signal,
  })
  return {
    studyInstanceUID: study.studyInstanceUID,
    ctSeriesInstanceUID: ct.seriesInstanceUID,
    petSeriesInstanceUID: pet.seriesInstanceUID,
    files: [...ct.files, ...pet.files],
    truth: demoTruth(name),
  }
}

export interface CtOptions {
  directory: string
  slices: number
  rows: number
  columns: number
  seed?: number
  signal?: AbortSignal
}

/** A CT of the same torso at any size, for benchmarks: 350 mm from the upper abdomen up, whatever the number of slices. */
export async function generateCt(
  options: CtOptions,
): Promise<{ studyInstanceUID: string; seriesInstanceUID: string; files: string[] }> {
  if (options.rows !== options.columns) throw new RangeError('The phantom is drawn on square slices.')
  const seed = options.seed ?? 1
  const study = identity(`alcove-ct ${options.slices} ${options.rows} ${seed}`)
  const size = volume(
    options.rows,
    500 / options.rows,
    options.slices,
    Math.round((350 / options.slices) * 1e4) / 1e4,
    50,
  )
  const written = await writeCt({
    directory: options.directory,
    study,
    scene: { ...TORSO, description: 'CT torso (phantom)' },
    shapes: TORSO.shapes(seed),
    volume: size,
    seed,
    signal: options.signal,
  })
  return { studyInstanceUID: study.studyInstanceUID, ...written }
}

function grid(size: Volume): SliceGrid {
  return {
    columns: size.columns,
    rows: size.rows,
    x0: size.originLps[0],
    y0: size.originLps[1],
    spacing: size.spacingMm[0],
  }
}

function fileName(directory: string, index: number): string {
  return join(directory, `${String(index + 1).padStart(4, '0')}.dcm`)
}

/** Rounds and clips into 16-bit words, little endian. */
function words(values: Float32Array, scale: number, offset: number, low: number, high: number): Uint8Array {
  const out = Buffer.allocUnsafe(values.length * 2)
  for (let i = 0; i < values.length; i += 1) {
    const stored = Math.min(high, Math.max(low, Math.round((values[i] ?? 0) * scale + offset)))
    out.writeInt16LE(stored, i * 2)
  }
  return out
}

interface SeriesJob {
  directory: string
  study: StudyIdentity
  scene: Scene
  shapes: readonly Shape[]
  volume: Volume
  seed: number
  signal: AbortSignal | undefined
}

async function writeCt(job: SeriesJob): Promise<{ seriesInstanceUID: string; files: string[] }> {
  await mkdir(job.directory, { recursive: true })
  const slice = new Float32Array(job.volume.rows * job.volume.columns)
  const files: string[] = []
  let seriesInstanceUID = ''
  for (let index = 0; index < job.volume.slices; index += 1) {
    job.signal?.throwIfAborted()
    const z = job.volume.originLps[2] + index * job.volume.spacingMm[2]
    drawSlice(job.shapes, grid(job.volume), z, 'hu', -1000, slice)
    addNoise(slice, job.seed * 100_003 + index, () => CT_NOISE_HU)
    const header = ctHeader(job.study, job.scene, job.volume, index)
    seriesInstanceUID = text(header, '0020000E') ?? ''
    const file = fileName(job.directory, job.volume.slices - 1 - index)
    await writeFile(file, writePart10(header, { pixels: { vr: 'OW', bytes: words(slice, 1, CT_OFFSET, 0, 4095) } }))
    files.push(file)
  }
  return { seriesInstanceUID, files }
}

/** Bq/ml at the start of the scan of tissue with SUV 1: what is left of the dose, spread over the body's weight in g. */
const BQML_PER_SUV = (INJECTED_BQ * 2 ** (-UPTAKE_SECONDS / HALF_LIFE_SECONDS)) / (WEIGHT_KG * 1000)

async function writePet(job: SeriesJob): Promise<{ seriesInstanceUID: string; files: string[] }> {
  const { directory, shapes, signal } = job
  await mkdir(directory, { recursive: true })
  const { rows, columns, slices, spacingMm, originLps } = job.volume
  const pixels = rows * columns
  const activity = new Float32Array(pixels * slices)
  for (let index = 0; index < slices; index += 1) {
    const slice = activity.subarray(index * pixels, (index + 1) * pixels)
    drawSlice(shapes, grid(job.volume), originLps[2] + index * spacingMm[2], 'suv', 0, slice)
    addNoise(slice, job.seed * 200_003 + index, (suv) => PET_NOISE * Math.sqrt(Math.max(0, suv) + 0.01))
  }
  signal?.throwIfAborted()
  const sigma = PSF_MM / Math.sqrt(8 * Math.LN2)
  blur(
    activity,
    [columns, rows, slices],
    spacingMm.map((spacing) => sigma / spacing),
  )
  const files: string[] = []
  let seriesInstanceUID = ''
  for (let index = 0; index < slices; index += 1) {
    signal?.throwIfAborted()
    const slice = activity.subarray(index * pixels, (index + 1) * pixels)
    const highest = slice.reduce((most, value) => Math.max(most, value), 0) * BQML_PER_SUV
    const slope = Number((Math.max(highest, 1) / 32767).toPrecision(8))
    const header = petHeader(job.study, job.scene, job.volume, index, slope)
    seriesInstanceUID = text(header, '0020000E') ?? ''
    const file = fileName(directory, slices - 1 - index)
    const stored = words(slice, BQML_PER_SUV / slope, 0, 0, 32767)
    await writeFile(file, writePart10(header, { pixels: { vr: 'OW', bytes: stored } }))
    files.push(file)
  }
  return { seriesInstanceUID, files }
}

/** Gaussian of `sigma` voxels along each axis, in place; beyond the border stands what stands at it. */
function blur(values: Float32Array, size: readonly [number, number, number], sigma: readonly number[]): void {
  let stride = 1
  size.forEach((length, axis) => {
    blurAxis(values, length, stride, sigma[axis] ?? 0)
    stride *= length
  })
}

function blurAxis(values: Float32Array, length: number, stride: number, sigma: number): void {
  const reach = Math.ceil(sigma * 4)
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-(((i - reach) / sigma) ** 2) / 2))
  const sum = kernel.reduce((total, weight) => total + weight, 0)
  const line = new Float32Array(length)
  const block = stride * length
  for (let start = 0; start < values.length; start += 1) {
    // The first voxel of every line along this axis.
    if (start % block >= stride) {
      start += block - stride - 1
      continue
    }
    for (let i = 0; i < length; i += 1) line[i] = values[start + i * stride] ?? 0
    for (let i = 0; i < length; i += 1) {
      let total = 0
      for (let j = -reach; j <= reach; j += 1)
        total += (kernel[j + reach] ?? 0) * (line[Math.min(length - 1, Math.max(0, i + j))] ?? 0)
      values[start + i * stride] = total / sum
    }
  }
}
