import type { Point, Shape, Tissue } from './shapes.ts'

/** CT numbers (HU) and FDG uptake (SUV), textbook means. */
export const FAT: Tissue = { hu: -100, suv: 0.3 }
export const MUSCLE: Tissue = { hu: 50, suv: 0.7 }
export const VISCERAL_FAT: Tissue = { hu: -90, suv: 0.35 }
export const LUNG: Tissue = { hu: -830, suv: 0.45 }
export const VESSEL: Tissue = { hu: 40, suv: 1.2 }
export const BLOOD: Tissue = { hu: 42, suv: 1.6 }
export const MYOCARDIUM: Tissue = { hu: 48, suv: 3 }
export const MEDIASTINUM: Tissue = { hu: 10, suv: 1 }
export const AIR: Tissue = { hu: -1000, suv: 0 }
export const LIVER: Tissue = { hu: 60, suv: 2.2 }
export const SPLEEN: Tissue = { hu: 52, suv: 1.8 }
export const STOMACH: Tissue = { hu: 30, suv: 1.5 }
export const KIDNEY: Tissue = { hu: 38, suv: 3 }
export const RENAL_PELVIS: Tissue = { hu: 5, suv: 5 }
export const BOWEL: Tissue = { hu: 25, suv: 1.2 }
export const BLADDER: Tissue = { hu: 8, suv: 12 }
export const CORTICAL: Tissue = { hu: 700, suv: 0.6 }
export const MARROW: Tissue = { hu: 220, suv: 1.4 }
export const FATTY_MARROW: Tissue = { hu: -40, suv: 0.4 }
export const DISC: Tissue = { hu: 80, suv: 0.6 }
export const CANAL: Tissue = { hu: 25, suv: 0.9 }
const COUCH: Tissue = { hu: -200, suv: 0 }
const COUCH_CORE: Tissue = { hu: -930, suv: 0 }

export function ellipsoid(centre: Point, radii: Point, tissue: Tissue): Shape {
  return { kind: 'ellipsoid', centre, radii, tissue }
}

export function column(x: number, y: number, rx: number, ry: number, from: number, to: number, tissue: Tissue): Shape {
  return { kind: 'column', centre: [x, y], radii: [rx, ry], from, to, tissue }
}

/** The scanner's couch under a body that reaches down to `y`, mm. */
export function couch(y: number, from: number, to: number): Shape[] {
  return [column(0, y + 50, 215, 26, from, to, COUCH), column(0, y + 50, 210, 21, from, to, COUCH_CORE)]
}
