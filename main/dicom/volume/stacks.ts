import {
  dot,
  type ImagePlane,
  imagePlane,
  isParallel,
  length,
  positionAlong,
  scale,
  subtract,
  type Vector3,
} from '#common/dicom/geometry.ts'
import { type DicomJsonDataset, number, text } from '#common/dicom/json.ts'

/** One frame of one instance, with its place. */
interface Slice {
  /** Index into the instances given. */
  instance: number
  /** 0-based. */
  frame: number
  plane: ImagePlane
  sopInstanceUID: string
}

type StackProblemCode =
  'single-slice' | 'missing-slices' | 'uneven-spacing' | 'shifted-slices' | 'tilted' | 'duplicates'

export interface StackProblem {
  code: StackProblemCode
  /** A stack with a blocking problem has no true regular grid: it may be scrolled, not measured or fed to a model. */
  blocking: boolean
  message: string
}

/** Parallel slices of one size that make up one volume, in order of growing position along the normal. */
export interface Stack {
  slices: Slice[]
  /** From one slice to the next, in LPS; sheared against the normal when the gantry was tilted. */
  stepMm: Vector3
  /** 0 unless the stack leans. */
  tiltDegrees: number
  localizer: boolean
  problems: StackProblem[]
}

/** Slices this close count as lying at the same place. */
const SAME_PLACE_MM = 0.01
/** A slice may be off its place on the regular grid by this part of the spacing, or by this many millimetres. */
const OFF_GRID_PART = 0.05
const OFF_GRID_MM = 0.1
const TILT_DEGREES = 0.5

/**
 * Sorts the frames of a series into stacks: by frame of reference, size, pixel spacing and orientation, then by
 * repetition (time points, echoes, b-values at the same places). Frames without a place in the patient, mosaics
 * and colour images are left out. Largest stack first, localizers last.
 */
export function findStacks(datasets: readonly DicomJsonDataset[], frames: readonly number[]): Stack[] {
  const groups: { key: string; plane: ImagePlane; slices: Slice[]; localizer: boolean }[] = []
  datasets.forEach((dataset, instance) => {
    if ((number(dataset, '00280002') ?? 1) !== 1) return
    const imageType = dataset['00080008']?.Value ?? []
    // Siemens mosaics show many slices in one picture: its place is none of theirs.
    if (imageType.includes('MOSAIC')) return
    const localizer = imageType.includes('LOCALIZER')
    const reference = text(dataset, '00200052') ?? ''
    for (let frame = 0; frame < (frames[instance] ?? 0); frame++) {
      const plane = imagePlane(dataset, frame)
      if (plane === null) continue
      const key = [
        reference,
        plane.rows,
        plane.columns,
        plane.rowSpacingMm.toFixed(4),
        plane.columnSpacingMm.toFixed(4),
        localizer,
      ].join('|')
      const slice = { instance, frame, plane, sopInstanceUID: text(dataset, '00080018') ?? '' }
      const group = groups.find((one) => one.key === key && isParallel(one.plane, plane))
      if (group === undefined) groups.push({ key, plane, slices: [slice], localizer })
      else group.slices.push(slice)
    }
  })
  return groups
    .flatMap((group) => {
      const order = repetitionOrder(datasets)
      const { repetitions, dropped } = separateRepetitions(group.slices, group.plane.normal, order)
      return repetitions.map((slices) => stackOf(slices, group.localizer, dropped))
    })
    .sort((a, b) => Number(a.localizer) - Number(b.localizer) || b.slices.length - a.slices.length)
}

/** What tells slices at one place apart, in order of weight: time point, acquisition, echo, b-value, instance, frame. */
function repetitionOrder(datasets: readonly DicomJsonDataset[]): (a: Slice, b: Slice) => number {
  const keys = datasets.map((dataset) =>
    ['00200100', '00200012', '00180086', '00189087', '00200013'].map((tag) => number(dataset, tag) ?? 0),
  )
  return (a, b) => {
    const left = keys[a.instance]!
    const right = keys[b.instance]!
    const difference = left.findIndex((value, index) => value !== right[index])
    return difference < 0 ? a.frame - b.frame : left[difference]! - right[difference]!
  }
}

/**
 * When every place holds the same number of slices they are that many volumes; otherwise the surplus ones are
 * duplicates and the first at each place stays.
 */
function separateRepetitions(
  slices: Slice[],
  normal: Vector3,
  order: (a: Slice, b: Slice) => number,
): { repetitions: Slice[][]; dropped: number } {
  const sorted = slices.toSorted((a, b) => positionAlong(a.plane, normal) - positionAlong(b.plane, normal))
  const places: Slice[][] = []
  for (const slice of sorted) {
    const place = places.at(-1)
    const same =
      place !== undefined && positionAlong(slice.plane, normal) - positionAlong(place[0]!.plane, normal) < SAME_PLACE_MM
    if (!same) places.push([slice])
    else if (!place.some((one) => one.sopInstanceUID === slice.sopInstanceUID && one.frame === slice.frame))
      place.push(slice)
  }
  for (const place of places) place.sort(order)
  const count = places[0]?.length ?? 0
  const kept = places.length * count
  if (count > 0 && places.every((place) => place.length === count))
    return {
      repetitions: Array.from({ length: count }, (_, time) => places.map((place) => place[time]!)),
      dropped: slices.length - kept,
    }
  return { repetitions: [places.map((place) => place[0]!)], dropped: slices.length - places.length }
}

function stackOf(slices: Slice[], localizer: boolean, dropped: number): Stack {
  const first = slices[0]!
  const { normal } = first.plane
  const problems: StackProblem[] = []
  if (dropped > 0)
    problems.push({
      code: 'duplicates',
      blocking: false,
      message: `${dropped} ${plural(dropped, 'image lies', 'images lie')} at the place of another and ${plural(dropped, 'was', 'were')} left out.`,
    })
  if (slices.length === 1) {
    problems.push({ code: 'single-slice', blocking: true, message: 'There is only one slice, which makes no volume.' })
    return { slices, stepMm: normal, tiltDegrees: 0, localizer, problems }
  }
  const positions = slices.map(({ plane }) => positionAlong(plane, normal))
  const spacing = positions[positions.length - 1]! - positions[0]!
  const stepMm = scale(subtract(slices.at(-1)!.plane.originMm, first.plane.originMm), 1 / (slices.length - 1))
  const uneven = spacingProblem(positions, spacing / (slices.length - 1))
  if (uneven !== null) problems.push(uneven)
  const tiltDegrees = (Math.acos(Math.min(1, dot(stepMm, normal) / length(stepMm))) * 180) / Math.PI
  const tilted = tiltDegrees > TILT_DEGREES
  if (uneven === null && leavesGrid(slices, stepMm))
    problems.push({
      code: 'shifted-slices',
      blocking: true,
      message: 'The slices are shifted against each other, so they form no regular grid.',
    })
  if (tilted)
    problems.push({
      code: 'tilted',
      blocking: false,
      message: `The slices lean by ${tiltDegrees.toFixed(1)}° (gantry tilt): the grid is sheared, which its affine says.`,
    })
  return { slices, stepMm, tiltDegrees: tilted ? tiltDegrees : 0, localizer, problems }
}

function spacingProblem(positions: number[], mean: number): StackProblem | null {
  const tolerance = Math.max(OFF_GRID_MM, OFF_GRID_PART * mean)
  const off = positions.some((position, k) => Math.abs(position - positions[0]! - k * mean) > tolerance)
  if (!off) return null
  const steps = positions.slice(1).map((position, k) => position - positions[k]!)
  const usual = steps.toSorted((a, b) => a - b)[Math.floor((steps.length - 1) / 2)]!
  // A step of two or more usual ones is a slice that is not there; anything else is a series scanned unevenly.
  const counts = steps.map((step) => Math.round(step / usual))
  const whole = steps.every((step, k) => counts[k]! >= 1 && Math.abs(step - counts[k]! * usual) < OFF_GRID_PART * usual)
  const missing = counts.reduce((sum, count) => sum + count - 1, 0)
  if (whole && missing > 0)
    return {
      code: 'missing-slices',
      blocking: true,
      message: `${missing} ${plural(missing, 'slice is', 'slices are')} missing in the series (spacing ${usual.toFixed(2)} mm). Import the series again, completely.`,
    }
  return {
    code: 'uneven-spacing',
    blocking: true,
    message: `The slices lie ${Math.min(...steps).toFixed(2)} to ${Math.max(...steps).toFixed(2)} mm apart; an even spacing is needed.`,
  }
}

function leavesGrid(slices: Slice[], stepMm: Vector3): boolean {
  const origin = slices[0]!.plane.originMm
  const tolerance = Math.max(OFF_GRID_MM, OFF_GRID_PART * length(stepMm))
  return slices.some(({ plane }, k) => length(subtract(subtract(plane.originMm, origin), scale(stepMm, k))) > tolerance)
}

function plural(count: number, one: string, many: string): string {
  return count === 1 ? one : many
}
