import type { Calibration } from '../contract/calibration.ts'
import { type DicomJsonDataset, number, text } from './json.ts'
import { modalityTransform } from './modality-lut.ts'
import { suvBodyWeight } from './suv.ts'

type Meaning = Pick<Calibration, 'unit' | 'suvFactor' | 'reason'>

function meaningOf(datasets: readonly DicomJsonDataset[]): Meaning {
  const [first] = datasets
  const modality = first === undefined ? null : text(first, '00080060')
  if (modality === 'PT') {
    const suv = suvBodyWeight(datasets)
    return suv.ok
      ? { unit: 'SUVbw', suvFactor: suv.factor, reason: `SUV by body weight (${suv.method}).` }
      : { unit: 'stored', suvFactor: null, reason: `SUV cannot be computed: ${suv.message}` }
  }
  const transform = first === undefined ? null : modalityTransform(first)
  if (modality === 'CT') {
    // PS3.3 C.8.2.1: Rescale Type of a CT that says nothing, or HU, is Hounsfield units.
    const hounsfield = transform?.kind === 'linear' && (transform.unit === null || transform.unit === 'HU')
    return hounsfield
      ? { unit: 'HU', suvFactor: null, reason: 'Hounsfield units by rescale slope and intercept.' }
      : { unit: 'stored', suvFactor: null, reason: 'The CT says that its values are not Hounsfield units.' }
  }
  return { unit: 'stored', suvFactor: null, reason: `Values of ${modality ?? 'this series'} have no absolute unit.` }
}

/** What stored values of a series mean. Multi-frame objects: the transformation of their first frame. */
export function calibrate(datasets: readonly DicomJsonDataset[]): Calibration {
  const meaning = meaningOf(datasets)
  const factor = meaning.suvFactor ?? 1
  return {
    ...meaning,
    instances: datasets.map((dataset) => {
      const transform = modalityTransform(dataset, 0, number(dataset, '00280103') === 1)
      const linear = transform.kind === 'linear' ? transform : { slope: 1, intercept: 0 }
      return {
        sopInstanceUID: text(dataset, '00080018') ?? '',
        slope: linear.slope * factor,
        intercept: linear.intercept * factor,
      }
    }),
  }
}
