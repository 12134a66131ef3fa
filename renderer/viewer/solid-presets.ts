import type { VoiRange } from './planar-view.ts'

/** [value, red, green, blue], colours 0–1. */
type ColourPoint = readonly [number, number, number, number]
/** [value, opacity per millimetre 0–1]. */
type OpacityPoint = readonly [number, number]

export interface SolidPreset {
  id: string
  title: string
  modalities: string[]
  /** `mip`: brightest value along each ray, through the window of the series. */
  kind: 'composite' | 'mip'
  /** Values in HU, or 0–1 within the window of the series when `relative`. */
  relative: boolean
  colours: readonly ColourPoint[]
  opacities: readonly OpacityPoint[]
}

const IVORY: readonly ColourPoint[] = [
  [-100, 0.45, 0.2, 0.14],
  [120, 0.62, 0.3, 0.2],
  [250, 0.85, 0.66, 0.48],
  [500, 0.95, 0.88, 0.76],
  [1200, 1, 0.99, 0.95],
]

const GREY_RAMP: readonly ColourPoint[] = [
  [0, 0, 0, 0],
  [1, 1, 1, 1],
]

const SOLID_PRESETS: readonly SolidPreset[] = [
  {
    id: 'ct-bone',
    title: 'Bone',
    modalities: ['CT'],
    kind: 'composite',
    relative: false,
    colours: IVORY,
    opacities: [
      [210, 0],
      [340, 0.12],
      [600, 0.6],
      [1200, 0.9],
    ],
  },
  {
    id: 'ct-soft',
    title: 'Soft tissue',
    modalities: ['CT'],
    kind: 'composite',
    relative: false,
    colours: [
      [-150, 0.55, 0.36, 0.26],
      [-20, 0.76, 0.55, 0.42],
      [60, 0.8, 0.45, 0.36],
      [220, 0.92, 0.78, 0.62],
      [700, 1, 0.97, 0.9],
    ],
    opacities: [
      [-200, 0],
      [-60, 0.08],
      [30, 0.2],
      [200, 0.5],
      [700, 0.9],
    ],
  },
  {
    id: 'ct-lung',
    title: 'Lung',
    modalities: ['CT'],
    kind: 'composite',
    relative: false,
    colours: [
      [-950, 0.25, 0.4, 0.55],
      [-700, 0.55, 0.68, 0.76],
      [-450, 0.88, 0.66, 0.52],
      [-200, 0.8, 0.4, 0.3],
      [400, 1, 0.95, 0.86],
    ],
    opacities: [
      [-930, 0],
      [-820, 0.012],
      [-600, 0.05],
      [-420, 0.12],
      [-260, 0],
      [280, 0],
      [600, 0.3],
    ],
  },
  {
    id: 'ct-vessels',
    title: 'Vessels',
    modalities: ['CT'],
    kind: 'composite',
    relative: false,
    colours: [
      [100, 0.5, 0.08, 0.06],
      [200, 0.85, 0.25, 0.16],
      [350, 0.95, 0.7, 0.5],
      [800, 1, 0.97, 0.9],
    ],
    opacities: [
      [110, 0],
      [170, 0.06],
      [260, 0.4],
      [700, 0.8],
    ],
  },
  {
    id: 'uptake',
    title: 'Uptake',
    modalities: ['PT', 'NM'],
    kind: 'composite',
    relative: true,
    colours: [
      [0, 0.25, 0.3, 0.38],
      [0.35, 0.5, 0.56, 0.64],
      [0.7, 0.95, 0.72, 0.38],
      [1, 1, 0.95, 0.8],
    ],
    // Thin enough that findings inside stay visible as surfaces.
    opacities: [
      [0.06, 0],
      [0.2, 0.006],
      [0.5, 0.012],
      [0.85, 0.1],
      [1, 0.25],
    ],
  },
  {
    id: 'surface',
    title: 'Surface',
    modalities: ['MR', 'OT'],
    kind: 'composite',
    relative: true,
    colours: [
      [0, 0.2, 0.16, 0.14],
      [0.5, 0.75, 0.6, 0.5],
      [1, 1, 0.97, 0.92],
    ],
    opacities: [
      [0.15, 0],
      [0.35, 0.1],
      [0.7, 0.4],
      [1, 0.8],
    ],
  },
  {
    id: 'mip',
    title: 'MIP',
    modalities: ['CT', 'MR', 'PT', 'NM', 'OT'],
    kind: 'mip',
    relative: true,
    colours: GREY_RAMP,
    opacities: [
      [0, 0],
      [0.02, 1],
      [1, 1],
    ],
  },
]

export const MIP_PRESET = SOLID_PRESETS.at(-1)!

export function presetsFor(modality: string): readonly SolidPreset[] {
  const found = SOLID_PRESETS.filter((preset) => preset.modalities.includes(modality))
  return found.length > 0 ? found : [MIP_PRESET]
}

/** Where a preset's value lies in the unit of the series. */
export function presetValue(preset: SolidPreset, value: number, voi: VoiRange): number {
  return preset.relative ? voi.lower + (voi.upper - voi.lower) * value : value
}
