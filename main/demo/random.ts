/** Reproducible pseudo-random numbers: the same seed gives the same study on every machine. Not for secrets. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** A 32-bit integer (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + ((high - low) * this.next()) / 4294967296
  }
}

const TABLE_SIZE = 65_536
let table: Float32Array | null = null

/** Standard normal numbers to draw from by index: noise for a hundred million voxels costs one look-up each. */
function normalTable(): Float32Array {
  if (table !== null) return table
  const random = new Random(0x5eed)
  table = new Float32Array(TABLE_SIZE)
  for (let i = 0; i < TABLE_SIZE; i += 2) {
    // Box–Muller.
    const radius = Math.sqrt(-2 * Math.log(1 - random.between(0, 1)))
    const angle = random.between(0, 2 * Math.PI)
    table[i] = radius * Math.cos(angle)
    table[i + 1] = radius * Math.sin(angle)
  }
  return table
}

/** Adds white noise; `sd` may depend on the value it is added to. */
export function addNoise(values: Float32Array, seed: number, sd: (value: number) => number): void {
  const normal = normalTable()
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1
  for (let i = 0; i < values.length; i += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    const value = values[i] ?? 0
    values[i] = value + sd(value) * (normal[(state >>> 8) & (TABLE_SIZE - 1)] ?? 0)
  }
}
