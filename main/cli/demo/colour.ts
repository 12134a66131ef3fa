import type { Rgb } from './canvas.ts'

/** Black, red, yellow, white: the usual colours of PET over CT. `t` is 0–1. */
export function hot(t: number): Rgb {
  const part = (from: number): number => Math.max(0, Math.min(255, Math.round((t * 3 - from) * 255)))
  return [part(0), part(1), part(2)]
}

/** Linear window to 0–255. */
export function windowed(value: number, centre: number, width: number): number {
  return Math.max(0, Math.min(255, Math.round(((value - (centre - width / 2)) / width) * 255)))
}

export function mix(below: Rgb, above: Rgb, alpha: number): Rgb {
  const blend = (low: number, high: number): number => Math.round(low + (high - low) * alpha)
  return [blend(below[0], above[0]), blend(below[1], above[1]), blend(below[2], above[2])]
}
