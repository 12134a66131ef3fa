import { CT_WINDOW_PRESETS } from '#common/dicom/presets.ts'
import type { SeriesData } from './series-data.ts'
import type { VoiRange } from './planar-view.ts'

export interface WindowPreset {
  /** Key that chooses it. */
  key: string
  name: string
  voi: VoiRange
}

function window(key: string, name: string, width: number, center: number): WindowPreset {
  return { key, name, voi: { lower: center - width / 2, upper: center + width / 2 } }
}

/** Shared with the demo and the docs, keyed 1–6. */
const CT: WindowPreset[] = CT_WINDOW_PRESETS.map((preset) =>
  window(preset.key, preset.name, preset.width, preset.center),
)

/** SUVbw. */
const PET: WindowPreset[] = [
  window('1', 'SUV 0–5', 5, 2.5),
  window('2', 'SUV 0–7', 7, 3.5),
  window('3', 'SUV 0–10', 10, 5),
  window('4', 'SUV 0–15', 15, 7.5),
  window('5', 'SUV 0–20', 20, 10),
]

function windowPresets(modality: string, unit: string): WindowPreset[] {
  if (modality === 'CT') return CT
  return unit === 'SUVbw' ? PET : []
}

/** Keys 7–9 give the windows the data set brings, once the modality's own are used up. */
export function presetsOf(data: SeriesData): WindowPreset[] {
  const known = windowPresets(data.series.modality, data.series.unit)
  const own = data.series.unit === 'SUVbw' ? [] : (data.series.frames[0]?.windows ?? [])
  const extra = own
    .slice(0, 9 - known.length)
    .map((entry, at) =>
      window(String(known.length + at + 1), entry.explanation ?? `Header ${at + 1}`, entry.width, entry.center),
    )
  return [...known, ...extra]
}

/** Window a series opens with: PET by SUV, otherwise the data set's own, otherwise the range of the first image. */
export function initialVoi(data: SeriesData, image: { min: number; max: number }): VoiRange {
  if (data.series.unit === 'SUVbw') return { lower: 0, upper: 5 }
  const middle = data.series.frames[Math.floor(data.series.frames.length / 2)]
  const own = middle?.windows[0]
  if (own !== undefined && data.series.modality !== 'PT')
    return { lower: own.center - own.width / 2, upper: own.center + own.width / 2 }
  if (data.series.modality === 'CT') return CT[0]!.voi
  return image.max > image.min ? { lower: image.min, upper: image.max } : { lower: image.min, upper: image.min + 1 }
}

/** Window of a maximum intensity projection: in CT everything soft would be white, so it starts above it. */
export function projectionVoi(data: SeriesData, own: VoiRange): VoiRange {
  return data.series.modality === 'CT' ? { lower: 0, upper: 1400 } : own
}

/** MONOCHROME1 shows low values bright; PET is read dark on white. */
export function initiallyInverted(data: SeriesData): boolean {
  const photometric = data.series.frames[0]?.photometricInterpretation
  return photometric === 'MONOCHROME1' || data.series.modality === 'PT'
}
