import { scale, type Vec3 } from './vector.ts'

/**
 * Letters of a direction in the patient, largest component first: LPS axes grow to the Left, Posterior and Superior
 * (PS3.3 C.7.6.2.1.1). Superior and inferior are H(ead) and F(eet), as on the machines.
 */
function directionLetters(direction: Vec3): string {
  const names: [string, string][] = [
    ['L', 'R'],
    ['P', 'A'],
    ['H', 'F'],
  ]
  return direction
    .map((value, axis) => ({ size: Math.abs(value), letter: value >= 0 ? names[axis]![0] : names[axis]![1] }))
    .filter(({ size }) => size > 0.15)
    .sort((a, b) => b.size - a.size)
    .slice(0, 3)
    .map(({ letter }) => letter)
    .join('')
}

export interface EdgeLetters {
  top: string
  right: string
  bottom: string
  left: string
}

/** Letters for the four edges of a view whose screen axes point along `right` and `down` in the patient. */
export function edgeLetters(right: Vec3, down: Vec3): EdgeLetters {
  return {
    right: directionLetters(right),
    left: directionLetters(scale(right, -1)),
    bottom: directionLetters(down),
    top: directionLetters(scale(down, -1)),
  }
}
