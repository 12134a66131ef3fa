import { unpackMask, type MaskDocument } from '#common/contract/masks.ts'
import type { SegmentSummary } from '#common/contract/segmentations.ts'
import { depthMm, type FrameInfo } from './frames-of-series.ts'
import { cross, dot, normalize, type Vec3 } from './vector.ts'
import { indexToWorld, type VolumeGeometry } from './volume-geometry.ts'

/** Segments on a part of a series' grid: 0 outside, else the segment number (at most 255). */
export interface LabelVolume {
  sopInstanceUID: string
  geometry: VolumeGeometry
  labels: Uint8Array
  segments: SegmentSummary[]
  voxelCounts: Map<number, number>
}

/** Frame of the series that a mask frame lies on, or −1. */
function sliceOf(mask: MaskDocument['head']['frames'][number], frames: FrameInfo[]): number {
  if (mask.sopInstanceUID !== null) {
    const found = frames.findIndex(
      (frame) =>
        frame.sopInstanceUID === mask.sopInstanceUID && (mask.frame === null || frame.frameNumber === mask.frame),
    )
    if (found >= 0) return found
  }
  const first = frames[0]
  if (mask.positionLps === null || first?.rowDirection == null || first.columnDirection === null) return -1
  const depth = dot(mask.positionLps, normalize(cross(first.rowDirection, first.columnDirection)))
  let nearest = -1
  let distance = Infinity
  for (const [index, frame] of frames.entries()) {
    const away = Math.abs((depthMm(frame) ?? Infinity) - depth)
    if (away < distance) {
      distance = away
      nearest = index
    }
  }
  return distance < (first.thicknessMm ?? 5) ? nearest : -1
}

/**
 * Masks as labels on the grid of the series they lie on, cut to the box that holds them (a lesion costs kilobytes,
 * not another volume). null when nothing fits the series' grid. Where segments overlap the later one wins.
 */
export function labelVolume(
  sopInstanceUID: string,
  document: MaskDocument,
  frames: FrameInfo[],
  geometry: VolumeGeometry,
): LabelVolume | null {
  const { head, masks } = document
  const [columns, rows] = geometry.dimensions
  if (head.columns !== columns || head.rows !== rows) return null
  const placed = head.frames
    .map((frame, at) => ({ segment: frame.segment, k: sliceOf(frame, frames), mask: masks[at]! }))
    .filter(({ k, segment }) => k >= 0 && segment <= 255)
  if (placed.length === 0) return null
  let [iFrom, jFrom, iTo, jTo] = [columns, rows, -1, -1]
  const unpacked = placed.map(({ mask }) => unpackMask(mask, columns * rows))
  for (const pixels of unpacked)
    for (let j = 0, at = 0; j < rows; j++)
      for (let i = 0; i < columns; i++, at++) {
        if (pixels[at] === 0) continue
        if (i < iFrom) iFrom = i
        if (i > iTo) iTo = i
        if (j < jFrom) jFrom = j
        if (j > jTo) jTo = j
      }
  if (iTo < 0) return null
  const kFrom = Math.min(...placed.map(({ k }) => k))
  const kTo = Math.max(...placed.map(({ k }) => k))
  const size: Vec3 = [iTo - iFrom + 1, jTo - jFrom + 1, kTo - kFrom + 1]
  const labels = new Uint8Array(size[0] * size[1] * size[2])
  const voxelCounts = new Map<number, number>()
  for (const [at, { segment, k }] of placed.entries()) {
    const pixels = unpacked[at]!
    for (let j = 0; j < size[1]; j++)
      for (let i = 0; i < size[0]; i++) {
        if (pixels[i + iFrom + columns * (j + jFrom)] === 0) continue
        labels[i + size[0] * (j + size[1] * (k - kFrom))] = segment
        voxelCounts.set(segment, (voxelCounts.get(segment) ?? 0) + 1)
      }
  }
  return {
    sopInstanceUID,
    labels,
    segments: head.segments,
    voxelCounts,
    geometry: { ...geometry, dimensions: size, origin: indexToWorld(geometry, [iFrom, jFrom, kFrom]) },
  }
}
