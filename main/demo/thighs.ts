import { Random } from './random.ts'
import { type Lesion, lesionShape, type Scene } from './scene.ts'
import type { Shape, Tissue } from './shapes.ts'
import { BLOOD, column, CORTICAL, couch, FAT, FATTY_MARROW, MUSCLE } from './tissues.ts'

/** Where soft-tissue sarcomas are most often: the muscles at the back of the thigh. */
const LESION: Lesion = {
  label: 'Mass in the muscles of the right thigh',
  centre: [-112, 24, 180],
  radii: [27, 24, 38],
  tissue: { hu: 20, suv: 8 },
}

const FROM = -20
const TO = 420

/** Thinner towards the knee. */
function taper(z: number): number {
  return 0.82 + 0.0006 * Math.max(0, z)
}

function tapered(x: number, y: number, rx: number, ry: number, tissue: Tissue): Shape {
  return { kind: 'column', centre: [x, y], radii: [rx, ry], from: FROM, to: TO, tissue, taper }
}

/** One thigh. Layers of fat part the groups of muscles; the seed moves them. */
function thigh(side: -1 | 1, random: Random): Shape[] {
  const x = side * 92
  const shapes = [tapered(x, 0, 82, 88, FAT), tapered(x, 0, 68, 74, MUSCLE)]
  for (let septum = 0; septum < 5; septum += 1) {
    const angle = (septum / 5) * 2 * Math.PI + random.between(-0.2, 0.2)
    const [dx, dy] = [Math.cos(angle), Math.sin(angle)]
    const from = [x + 22 * dx, 22 * dy] as const
    const to = [x + 54 * dx, 56 * dy] as const
    for (let z = FROM; z < TO; z += 40)
      shapes.push({
        kind: 'capsule',
        from: [from[0], from[1], z],
        to: [to[0], to[1], z + 40],
        radius: 1.8,
        tissue: FAT,
      })
  }
  shapes.push(
    column(x, -6, 15, 15, FROM, TO, CORTICAL),
    column(x, -6, 8, 8, FROM, TO, FATTY_MARROW),
    { kind: 'capsule', from: [x - side * 24, 22, FROM], to: [x - side * 34, -34, TO], radius: 4.5, tissue: BLOOD },
    { kind: 'capsule', from: [x - side * 34, 26, FROM], to: [x - side * 44, -28, TO], radius: 5.5, tissue: BLOOD },
  )
  return shapes
}

/** Both thighs, from above the knee to below the hip. */
export const THIGHS: Scene = {
  name: 'thighs',
  bodyPart: 'THIGH',
  laterality: 'R',
  description: 'PET/CT thighs (phantom)',
  lowestMm: 20,
  lesion: LESION,
  shapes: (seed) => {
    const random = new Random(seed)
    return [...couch(90, FROM, TO), ...thigh(-1, random), ...thigh(1, random), lesionShape(LESION)]
  },
}
