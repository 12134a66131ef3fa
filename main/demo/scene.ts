import type { Point, Shape, Tissue } from './shapes.ts'

/** The one lesion of a scene, an ellipsoid with its axes along the patient's; LPS, mm. */
export interface Lesion {
  label: string
  centre: Point
  radii: Point
  tissue: Tissue
}

/** A part of an invented body, in patient coordinates (LPS, mm): x to the left, y to the back, z to the head. */
export interface Scene {
  name: 'torso' | 'thighs'
  bodyPart: string
  /** Which of a pair was examined for something, though both may be seen. */
  laterality?: 'L' | 'R'
  description: string
  /** z of the lowest slice. */
  lowestMm: number
  lesion: Lesion
  /** Solids in drawing order, the lesion last; what the seed moves is said where it is defined. */
  shapes: (seed: number) => Shape[]
}

export function lesionShape(lesion: Lesion): Shape {
  return { kind: 'ellipsoid', centre: lesion.centre, radii: lesion.radii, tissue: lesion.tissue }
}

/** 4/3·π·a·b·c, ml. */
export function lesionVolumeMl({ radii }: Lesion): number {
  return ((4 / 3) * Math.PI * radii[0] * radii[1] * radii[2]) / 1000
}

/** True where the point lies in the lesion. */
export function inLesion({ centre, radii }: Lesion, x: number, y: number, z: number): boolean {
  return ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 + ((z - centre[2]) / radii[2]) ** 2 <= 1
}
