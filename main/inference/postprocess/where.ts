import { affineColumn } from '../geometry/affine.ts'
import { AXES, axesByLps, type Axis, type Grid } from '../geometry/grid.ts'

/** Thirds of an axis, from its low end to its high end. */
function third<Words>(position: number, length: number, words: readonly [Words, Words, Words]): Words {
  const share = (position + 0.5) / length
  return share < 1 / 3 ? words[0] : share > 2 / 3 ? words[2] : words[1]
}

/**
 * The place of a region in words, as far as geometry alone tells it: which third of the scanned volume, on the
 * patient's own axes, and which slices. Says nothing of organs. Slices are counted from the feet for an upright axis.
 * Example: "left, posterior, upper third of the scanned volume; slices 31–44 of 53 from the lower end".
 */
export function whereInWords(
  grid: Grid,
  centre: readonly [number, number, number],
  bounds: { low: readonly [number, number, number]; high: readonly [number, number, number] },
): string {
  const order = axesByLps(grid)
  /** Position along the patient's axis, counted in its positive direction (left, posterior, superior). */
  const along = (lps: Axis, index: readonly [number, number, number]): number => {
    const axis = order[lps]
    const grows = affineColumn(grid.toLps, axis)[lps] >= 0
    return grows ? index[axis] : grid.size[axis] - 1 - index[axis]
  }
  const length = (lps: Axis): number => grid.size[order[lps]]
  const [x, y, z] = AXES.map((lps) => along(lps, centre)) as [number, number, number]
  const side = third(x, length(0), ['right', 'central', 'left'])
  const depth = third(y, length(1), ['anterior', 'middle', 'posterior'])
  const height = third(z, length(2), ['lower', 'middle', 'upper'])
  const ends = [along(2, bounds.low), along(2, bounds.high)].toSorted((a, b) => a - b) as [number, number]
  const slices = ends[0] === ends[1] ? `slice ${ends[0] + 1}` : `slices ${ends[0] + 1}–${ends[1] + 1}`
  return `${side}, ${depth}, ${height} third of the scanned volume; ${slices} of ${length(2)} from the lower end`
}
