import type { Size3 } from '../geometry/grid.ts'

/**
 * A connected set of voxels as runs along x: triples (row, first x, end x) with row = z · ny + y, in order of rows.
 * A lesion of a whole-body PET is a few hundred numbers this way, and no label volume is needed.
 */
export interface Region {
  runs: Int32Array
  voxels: number
}

/** 26: voxels that share a face, an edge or a corner belong together (scipy's ones((3,3,3))). 6: a face. */
export type Connectivity = 6 | 26

interface Runs {
  row: number[]
  first: number[]
  end: number[]
  /** Index of the first run of each row; one more at the end. */
  rowStart: Int32Array
}

function collectRuns(inside: (index: number) => boolean, [nx, ny, nz]: Size3): Runs {
  const runs: Runs = { row: [], first: [], end: [], rowStart: new Int32Array(ny * nz + 1) }
  for (let row = 0; row < ny * nz; row++) {
    runs.rowStart[row] = runs.row.length
    for (let x = 0; x < nx; x++) {
      if (!inside(row * nx + x)) continue
      const first = x
      while (x < nx && inside(row * nx + x)) x++
      runs.row.push(row)
      runs.first.push(first)
      runs.end.push(x)
    }
  }
  runs.rowStart[ny * nz] = runs.row.length
  return runs
}

function root(parent: Int32Array, run: number): number {
  let at = run
  while (parent[at] !== at) {
    parent[at] = parent[parent[at]!]!
    at = parent[at]!
  }
  return at
}

/** Joins runs of two neighbouring rows that touch; `reach` 1 lets them touch diagonally. */
function joinRows(runs: Runs, parent: Int32Array, rowA: number, rowB: number, reach: 0 | 1): void {
  let b = runs.rowStart[rowB]!
  const lastB = runs.rowStart[rowB + 1]!
  for (let a = runs.rowStart[rowA]!; a < runs.rowStart[rowA + 1]!; a++) {
    while (b < lastB && runs.end[b]! + reach <= runs.first[a]!) b++
    for (let other = b; other < lastB && runs.first[other]! < runs.end[a]! + reach; other++) {
      const [p, q] = [root(parent, a), root(parent, other)]
      // The smaller index is the root, so that regions come out in scan order.
      if (p < q) parent[q] = p
      else parent[p] = q
    }
  }
}

/**
 * Connected components of the voxels for which `inside(index)` holds, in scan order of their first voxel.
 * Two-pass labelling over runs with union-find (He, Chao & Suzuki 2008).
 */
export function connectedComponents(
  inside: (index: number) => boolean,
  size: Size3,
  connectivity: Connectivity,
): Region[] {
  const [, ny, nz] = size
  const runs = collectRuns(inside, size)
  const parent = Int32Array.from(runs.row, (_, i) => i)
  const reach = connectivity === 26 ? 1 : 0
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++) {
      const row = z * ny + y
      if (y > 0) joinRows(runs, parent, row, row - 1, reach)
      if (z === 0) continue
      joinRows(runs, parent, row, row - ny, reach)
      if (connectivity === 26 && y > 0) joinRows(runs, parent, row, row - ny - 1, 1)
      if (connectivity === 26 && y < ny - 1) joinRows(runs, parent, row, row - ny + 1, 1)
    }
  const members = new Map<number, number[]>()
  for (let run = 0; run < parent.length; run++) {
    const at = root(parent, run)
    const list = members.get(at)
    if (list === undefined) members.set(at, [run])
    else list.push(run)
  }
  return [...members.values()].map((list) => {
    const packed = new Int32Array(list.length * 3)
    let voxels = 0
    list.forEach((run, i) => {
      packed.set([runs.row[run]!, runs.first[run]!, runs.end[run]!], i * 3)
      voxels += runs.end[run]! - runs.first[run]!
    })
    return { runs: packed, voxels }
  })
}

/** Calls back for every run: voxels (first…end−1, y, z). */
export function forEachRun(
  { runs }: Region,
  ny: number,
  visit: (z: number, y: number, first: number, end: number) => void,
): void {
  for (let i = 0; i < runs.length; i += 3) {
    const row = runs[i]!
    visit(Math.floor(row / ny), row % ny, runs[i + 1]!, runs[i + 2]!)
  }
}
