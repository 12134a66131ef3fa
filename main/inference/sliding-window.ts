import { AXES, map3, type Size3 } from './geometry/grid.ts'

/** First voxels of the tiles along one axis: one tile when it covers the axis, otherwise evenly overlapping to the end. */
export function tileStarts(length: number, tile: number, overlap: number): number[] {
  if (length <= tile) return [0]
  const step = Math.max(1, Math.floor(tile * (1 - overlap)))
  const starts: number[] = []
  for (let start = 0; start < length - tile; start += step) starts.push(start)
  starts.push(length - tile)
  return starts
}

/** Of the tile's side, as in MONAI and nnU-Net. */
const SIGMA_SHARE = 1 / 8
/** Of the peak: far corners still count, so that no voxel divides by nearly nothing. */
const LOWEST_WEIGHT = 1e-3

/** Gaussian along one side of a tile, peak near 1. */
export function gaussianWeights(tile: number): Float64Array {
  const centre = (tile - 1) / 2
  return Float64Array.from({ length: tile }, (_, i) =>
    Math.max(LOWEST_WEIGHT, Math.exp(-0.5 * ((i - centre) / (tile * SIGMA_SHARE)) ** 2)),
  )
}

/**
 * Per tile of one axis, its Gaussian divided by the sum of all tiles' Gaussians there. Tiles form a Cartesian product
 * and the Gaussian is separable, so the product of three such rows sums to 1 over all tiles at every voxel.
 */
export function blendWeights(length: number, tile: number, starts: readonly number[]): Float64Array[] {
  const gaussian = gaussianWeights(tile)
  const sum = new Float64Array(Math.max(length, tile))
  for (const start of starts) for (let i = 0; i < tile; i++) sum[start + i]! += gaussian[i]!
  return starts.map((start) => gaussian.map((weight, i) => weight / sum[start + i]!))
}

export interface WindowOptions {
  size: Size3
  /** [x, y, z] voxels; null feeds the whole volume as one tile. */
  tile: Size3 | null
  overlap: number
  /** Output channels of the model. */
  channels: number
  /** Value beyond the volume's end, after normalisation. */
  padding: number
}

/**
 * Runs a model over a volume in overlapping tiles, blended with a Gaussian. `runTile` is given the same input array
 * each time ([1, 1, z, y, x], x fastest; padded at the far ends) and returns [1, channels, z, y, x], which may be the
 * same array each time. Returns [channels, z, y, x] over `size`.
 */
export async function slidingWindow(
  volume: Float32Array,
  options: WindowOptions,
  runTile: (input: Float32Array) => Promise<Float32Array>,
  onTile: (done: number, total: number) => Promise<void>,
): Promise<Float32Array> {
  const { size, channels, padding, overlap } = options
  const tile = options.tile ?? size
  const starts = map3((axis) => tileStarts(size[axis], tile[axis], overlap))
  const weights = map3((axis) => blendWeights(size[axis], tile[axis], starts[axis]))
  const total = starts[0].length * starts[1].length * starts[2].length
  const input = new Float32Array(tile[0] * tile[1] * tile[2])
  const output = new Float32Array(size[0] * size[1] * size[2] * channels)
  let done = 0
  for (const [k, z] of starts[2].entries())
    for (const [j, y] of starts[1].entries())
      for (const [i, x] of starts[0].entries()) {
        await onTile(done++, total)
        copyIn(volume, size, input, tile, [x, y, z], padding)
        const result = await runTile(input)
        for (let channel = 0; channel < channels; channel++)
          blendIn(result, output, channel, size, tile, [x, y, z], [weights[0][i]!, weights[1][j]!, weights[2][k]!])
      }
  await onTile(done, total)
  return output
}

function copyIn(volume: Float32Array, size: Size3, input: Float32Array, tile: Size3, at: Size3, padding: number): void {
  const width = Math.min(tile[0], size[0] - at[0])
  const complete = AXES.every((axis) => at[axis] + tile[axis] <= size[axis])
  if (!complete) input.fill(padding)
  for (let z = 0; z < tile[2] && at[2] + z < size[2]; z++)
    for (let y = 0; y < tile[1] && at[1] + y < size[1]; y++) {
      const from = ((at[2] + z) * size[1] + at[1] + y) * size[0] + at[0]
      input.set(volume.subarray(from, from + width), (z * tile[1] + y) * tile[0])
    }
}

function blendIn(
  result: Float32Array,
  output: Float32Array,
  channel: number,
  size: Size3,
  tile: Size3,
  at: Size3,
  [wx, wy, wz]: readonly [Float64Array, Float64Array, Float64Array],
): void {
  const width = Math.min(tile[0], size[0] - at[0])
  const fromChannel = channel * tile[0] * tile[1] * tile[2]
  const toChannel = channel * size[0] * size[1] * size[2]
  for (let z = 0; z < tile[2] && at[2] + z < size[2]; z++)
    for (let y = 0; y < tile[1] && at[1] + y < size[1]; y++) {
      const weight = wz[z]! * wy[y]!
      const to = toChannel + ((at[2] + z) * size[1] + at[1] + y) * size[0] + at[0]
      const from = fromChannel + (z * tile[1] + y) * tile[0]
      for (let x = 0; x < width; x++) output[to + x]! += weight * wx[x]! * result[from + x]!
    }
}
