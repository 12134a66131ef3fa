import { cache } from '@cornerstonejs/core'
import { asVec3, cross, length, normalize, sub, type Vec3 } from './vector.ts'
import {
  angleDegrees,
  ellipseOfHandles,
  type FlatRegion,
  rectangleOfHandles,
  regionStatistics,
  type ValueGrid,
} from './region-statistics.ts'
import type { FrameInfo } from './frames-of-series.ts'
import { seriesOfImageId, seriesOfVolumeId } from './series-data.ts'

interface Target {
  frame: FrameInfo
  unit: string
  grid: ValueGrid | null
}

/** A single image as a grid one slice deep. */
function gridOfFrame(frame: FrameInfo, values: ArrayLike<number>): ValueGrid {
  const row: Vec3 = frame.rowDirection ?? [1, 0, 0]
  const column: Vec3 = frame.columnDirection ?? [0, 1, 0]
  const [rowSpacing, columnSpacing] = frame.spacingMm ?? [1, 1]
  return {
    values,
    geometry: {
      dimensions: [frame.columns, frame.rows, 1],
      spacingMm: [columnSpacing, rowSpacing, Math.max(rowSpacing, columnSpacing)],
      origin: frame.positionLps ?? [0, 0, 0],
      axes: [row, column, normalize(cross(row, column))],
    },
  }
}

function unitLabel(unit: string): string {
  return unit === 'SUVbw' ? 'SUV' : unit === 'stored' ? '' : unit
}

/** `imageId:…`, `volumeId:…` (with or without a query) as cornerstone names what a measurement lies on. */
function targetOf(targetId: string): Target | null {
  const id = targetId.replace(/^(imageId|volumeId|displaySetId):/, '').replace(/\?.*$/, '')
  const image = seriesOfImageId(id)
  if (image !== null) {
    const frame = image.data.series.frames[image.index]
    if (frame === undefined) return null
    const loaded = cache.getImage(id)
    const grey = loaded !== undefined && !loaded.color
    return {
      frame,
      unit: unitLabel(image.data.series.unit),
      grid: grey ? gridOfFrame(frame, loaded.getPixelData()) : null,
    }
  }
  const data = seriesOfVolumeId(id)
  const frame = data?.series.frames[0]
  if (data == null || frame === undefined || !data.verdict.ok || data.voxels === null) return null
  return {
    frame,
    unit: unitLabel(data.series.unit),
    grid: { geometry: data.verdict.geometry, values: data.voxels },
  }
}

/** Two decimals below 10, one below 100, else none: enough digits, no false ones. */
export function formatValue(value: number, unit: string): string {
  if (!Number.isFinite(value)) return '–'
  const digits = unit === 'SUV' ? 2 : Math.abs(value) < 10 ? 2 : Math.abs(value) < 1000 ? 1 : 0
  return value.toFixed(digits).replace('-', '−')
}

/** Windows are set by hand: whole numbers, tenths where the range itself is small. */
export function formatWindow(value: number, unit: string): string {
  return value.toFixed(unit === 'SUV' ? 1 : 0).replace('-', '−')
}

function formatLength(mm: number, kind: FrameInfo['spacingKind']): string {
  if (kind === 'none') return `${mm.toFixed(1)} px`
  return `${mm.toFixed(1)} mm${kind === 'detector' ? ' (detector)' : ''}`
}

function formatArea(mm2: number, kind: FrameInfo['spacingKind']): string {
  if (kind === 'none') return `${mm2.toFixed(0)} px²`
  const size = mm2 >= 100 ? `${(mm2 / 100).toFixed(2)} cm²` : `${mm2.toFixed(1)} mm²`
  return kind === 'detector' ? `${size} (detector)` : size
}

function regionLines(target: Target, region: FlatRegion | null): string[] {
  if (region === null) return []
  const { unit, frame } = target
  if (target.grid === null) return []
  const found = regionStatistics(target.grid, region)
  const suffix = unit === '' ? '' : ` ${unit}`
  const area = `Area ${formatArea(found.areaMm2, frame.spacingKind)}`
  if (found.count === 0) return [area, 'No voxel centre inside']
  return [
    `Mean ${formatValue(found.mean, unit)}${suffix}   SD ${formatValue(found.sd, unit)}`,
    `Min ${formatValue(found.min, unit)}   Max ${formatValue(found.max, unit)}`,
    `${area}   n ${found.count}`,
  ]
}

/**
 * Text beside a measurement. The numbers come from Alcove's own arithmetic over the calibrated voxels and the
 * handles' places in the patient, not from the drawing library's statistics.
 */
export function measurementText(toolName: string, data: unknown, targetIds: string | string[] | undefined): string[] {
  const targetId = Array.isArray(targetIds) ? targetIds[0] : targetIds
  if (targetId === undefined) return []
  const handles = (data as { handles?: { points?: ArrayLike<number>[] } }).handles
  const points = (handles?.points ?? []).map((point) => asVec3(point))
  const target = targetOf(targetId)
  if (target === null) return []
  switch (toolName) {
    case 'Length':
      return points.length < 2 ? [] : [formatLength(length(sub(points[1]!, points[0]!)), target.frame.spacingKind)]
    case 'Angle':
      return points.length < 3 ? [] : [`${angleDegrees(points[0]!, points[1]!, points[2]!).toFixed(1)}°`]
    case 'EllipticalROI':
      return regionLines(target, ellipseOfHandles(points))
    case 'RectangleROI':
      return regionLines(target, rectangleOfHandles(points))
    default:
      return []
  }
}
