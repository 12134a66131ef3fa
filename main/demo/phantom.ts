import { Random } from './random.ts'
import { type Lesion, lesionShape, type Scene } from './scene.ts'
import type { Point, Shape } from './shapes.ts'
import {
  AIR,
  BLADDER,
  BLOOD,
  BOWEL,
  CANAL,
  CORTICAL,
  DISC,
  FAT,
  KIDNEY,
  LIVER,
  LUNG,
  MARROW,
  MEDIASTINUM,
  MUSCLE,
  MYOCARDIUM,
  RENAL_PELVIS,
  SPLEEN,
  STOMACH,
  VESSEL,
  VISCERAL_FAT,
  column,
  couch,
  ellipsoid,
} from './tissues.ts'

/** Lowest and highest z of the phantom's content, mm. */
const PHANTOM_RANGE = { from: -20, to: 420 } as const

function trunk(): Shape[] {
  const { from, to } = PHANTOM_RANGE
  // Narrower at the waist, wider at the shoulders.
  const taper = (z: number): number => 1 - 0.06 * Math.exp(-(((z - 110) / 60) ** 2)) + 0.0002 * Math.max(0, z - 280)
  return [
    ...couch(118, from, to),
    { kind: 'column', centre: [0, 0], radii: [176, 118], from, to, tissue: FAT, taper },
    { kind: 'column', centre: [0, 0], radii: [160, 104], from, to, tissue: MUSCLE, taper },
    { kind: 'column', centre: [0, -6], radii: [138, 84], from, to, tissue: VISCERAL_FAT, taper },
  ]
}

/** Branching vessels of one lung, from the hilum outwards. */
function pulmonaryVessels(random: Random, side: -1 | 1): Shape[] {
  const shapes: Shape[] = []
  const hilum: Point = [side * 28, 6, 285]
  for (let branch = 0; branch < 26; branch += 1) {
    const direction: Point = [side * random.between(0.35, 1), random.between(-0.9, 0.9), random.between(-1, 1)]
    const norm = Math.hypot(...direction)
    let at = hilum
    let radius = random.between(2.2, 3.4)
    for (let piece = 0; piece < 4; piece += 1) {
      const step = random.between(12, 20)
      const to: Point = [
        at[0] + (direction[0] / norm) * step + random.between(-4, 4),
        at[1] + (direction[1] / norm) * step + random.between(-4, 4),
        at[2] + (direction[2] / norm) * step + random.between(-4, 4),
      ]
      shapes.push({ kind: 'capsule', from: at, to, radius, tissue: VESSEL })
      at = to
      radius *= 0.72
    }
  }
  return shapes.filter((shape) => shape.kind === 'capsule' && inLung(shape.to, side))
}

const LUNGS = { right: [-74, -4, 290], left: [74, -2, 292], radii: [58, 74, 108] } as const

function inLung(point: Point, side: -1 | 1): boolean {
  const centre = side < 0 ? LUNGS.right : LUNGS.left
  return (
    point.reduce((sum, value, axis) => sum + ((value - (centre[axis] ?? 0)) / ((LUNGS.radii[axis] ?? 1) - 6)) ** 2, 0) <
    1
  )
}

function thorax(random: Random): Shape[] {
  return [
    ellipsoid(LUNGS.right, LUNGS.radii, LUNG),
    ellipsoid(LUNGS.left, [54, 72, 106], LUNG),
    column(0, 4, 30, 66, 190, 400, MEDIASTINUM),
    ...pulmonaryVessels(random, -1),
    ...pulmonaryVessels(random, 1),
    ellipsoid([22, -30, 244], [50, 42, 46], MYOCARDIUM),
    ellipsoid([12, -28, 252], [34, 30, 34], BLOOD),
    ellipsoid([32, -34, 236], [27, 24, 27], BLOOD),
    column(14, 46, 11, 11, PHANTOM_RANGE.from, 318, BLOOD),
    { kind: 'capsule', from: [14, 44, 316], to: [-8, -14, 318], radius: 12, tissue: BLOOD },
    { kind: 'capsule', from: [-8, -14, 318], to: [-4, -24, 270], radius: 13, tissue: BLOOD },
    column(-24, -14, 9, 9, 250, 350, BLOOD),
    { kind: 'capsule', from: [0, 18, 305], to: [0, 12, 420], radius: 8.5, tissue: AIR },
    { kind: 'capsule', from: [0, 18, 305], to: [-26, 14, 286], radius: 6, tissue: AIR },
    { kind: 'capsule', from: [0, 18, 305], to: [28, 16, 284], radius: 5.5, tissue: AIR },
  ]
}

function abdomen(random: Random): Shape[] {
  const bowel: Shape[] = []
  for (let loop = 0; loop < 14; loop += 1) {
    const centre: Point = [random.between(-85, 90), random.between(-60, 5), random.between(30, 120)]
    bowel.push(ellipsoid(centre, [random.between(12, 22), random.between(11, 18), random.between(14, 26)], BOWEL))
    if (loop % 3 === 0) bowel.push(ellipsoid([centre[0], centre[1] - 5, centre[2]], [8, 5, 9], AIR))
  }
  return [
    ...bowel,
    ellipsoid([-58, -6, 178], [84, 74, 62], LIVER),
    ellipsoid([10, -40, 188], [60, 32, 34], LIVER),
    ellipsoid([-50, -2, 182], [7, 6, 30], BLOOD),
    ellipsoid([68, -26, 182], [42, 38, 46], STOMACH),
    ellipsoid([66, -44, 190], [24, 12, 22], AIR),
    ellipsoid([98, 34, 184], [28, 40, 46], SPLEEN),
    ellipsoid([-64, 52, 112], [26, 27, 52], KIDNEY),
    ellipsoid([-54, 46, 112], [11, 10, 20], RENAL_PELVIS),
    ellipsoid([64, 52, 122], [26, 27, 52], KIDNEY),
    ellipsoid([54, 46, 122], [11, 10, 20], RENAL_PELVIS),
    ellipsoid([0, -20, 12], [38, 34, 28], BLADDER),
  ]
}

function spine(): Shape[] {
  const shapes: Shape[] = []
  const bodyMm = 27
  for (let z = PHANTOM_RANGE.from; z < PHANTOM_RANGE.to; z += bodyMm) {
    shapes.push(
      column(0, 72, 21, 17, z, z + bodyMm - 6, CORTICAL),
      column(0, 72, 18.5, 14.5, z + 1.5, z + bodyMm - 7.5, MARROW),
    )
    shapes.push(column(0, 72, 20, 16, z + bodyMm - 6, z + bodyMm, DISC))
    shapes.push({ kind: 'capsule', from: [-34, 98, z + 12], to: [34, 98, z + 12], radius: 6, tissue: CORTICAL })
    shapes.push({ kind: 'capsule', from: [0, 100, z + 12], to: [0, 114, z + 2], radius: 5, tissue: CORTICAL })
  }
  shapes.push(column(0, 95, 9, 7.5, PHANTOM_RANGE.from, PHANTOM_RANGE.to, CANAL))
  return shapes
}

/** Ribs run from the spine downwards to the front (left and right), along the wall of the chest. */
function ribs(): Shape[] {
  const shapes: Shape[] = []
  for (let rib = 0; rib < 11; rib += 1) {
    const top = 400 - rib * 21
    const reach = rib < 8 ? 0.93 : 0.55
    for (const side of [-1, 1]) {
      let previous: Point | null = null
      for (let step = 0; step <= 24; step += 1) {
        const angle = Math.PI * (0.06 + (reach - 0.06) * (step / 24))
        const point: Point = [
          side * 149 * Math.sin(angle),
          -4 + 95 * Math.cos(angle),
          top - 62 * (angle / Math.PI) ** 1.2,
        ]
        if (previous !== null)
          shapes.push({ kind: 'capsule', from: previous, to: point, radius: 5.6, tissue: CORTICAL })
        if (previous !== null) shapes.push({ kind: 'capsule', from: previous, to: point, radius: 3.4, tissue: MARROW })
        previous = point
      }
    }
  }
  shapes.push({ kind: 'capsule', from: [0, -97, 232], to: [0, -97, 352], radius: 9, tissue: CORTICAL })
  shapes.push({ kind: 'capsule', from: [0, -97, 234], to: [0, -97, 350], radius: 6.5, tissue: MARROW })
  return shapes
}

/** A mass in the right upper lobe. */
const LESION: Lesion = {
  label: 'Mass in the right upper lobe',
  centre: [-70, 4, 312],
  radii: [19, 16, 18],
  tissue: { hu: 38, suv: 8 },
}

/** The seed moves vessels and bowel; organs and the lesion stay where they are. */
function torso(seed: number): Shape[] {
  const random = new Random(seed)
  return [
    ...trunk(),
    ...abdomen(random),
    ...thorax(random),
    ...upperAbdomenDome(),
    ...spine(),
    ...ribs(),
    { kind: 'capsule', from: [-62, 6, 300], to: [-34, 8, 290], radius: 2.4, tissue: VESSEL },
    lesionShape(LESION),
  ]
}

/** The liver's and the spleen's domes push up into the lungs. */
function upperAbdomenDome(): Shape[] {
  return [
    ellipsoid([-62, -4, 178], [76, 72, 60], LIVER),
    ellipsoid([98, 30, 186], [27, 38, 44], SPLEEN),
    ellipsoid([68, -26, 182], [41, 37, 44], STOMACH),
    ellipsoid([66, -44, 194], [24, 12, 20], AIR),
  ]
}

/** From the kidneys to the lung apices; the spine's front lies near y = 60. */
export const TORSO: Scene = {
  name: 'torso',
  bodyPart: 'CHEST',
  description: 'PET/CT torso (phantom)',
  lowestMm: 60,
  lesion: LESION,
  shapes: torso,
}
