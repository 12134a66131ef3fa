import { functionalGroup } from '#common/dicom/geometry.ts'
import { type DicomJsonDataset, items, numbers, text } from '#common/dicom/json.ts'
import { type LookupTable, lookupTable, lookUp } from '#common/dicom/modality-lut.ts'

type WindowFunction = 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID'

/** In units of the modality LUT's output. */
export interface Window {
  center: number
  width: number
  function?: WindowFunction
}

const FRAME_VOI_LUT = '00289132'

/** Windows the header suggests for a frame (0-based), the first being the writer's choice. Impossible ones left out. */
export function headerWindows(dataset: DicomJsonDataset, frame = 0): Required<Window>[] {
  const group = functionalGroup(dataset, frame, FRAME_VOI_LUT)
  const centers = numbers(group, '00281050') ?? []
  const widths = numbers(group, '00281051') ?? []
  const named = text(group, '00281056')
  const chosen: WindowFunction = named === 'LINEAR_EXACT' || named === 'SIGMOID' ? named : 'LINEAR'
  return centers.flatMap((center, index) => {
    const width = widths[index]
    const possible = width !== undefined && (chosen === 'LINEAR' ? width >= 1 : width > 0)
    return possible ? [{ center, width, function: chosen }] : []
  })
}

/** The first VOI LUT of the header (PS3.3 C.11.2.1.1), or null. */
export function headerVoiTable(dataset: DicomJsonDataset, signed: boolean): LookupTable | null {
  const item = items(dataset, '00283010')[0]
  return item === undefined ? null : lookupTable(item, signed)
}

/** A real value to 0…1 (PS3.3 C.11.2.1.2 and C.11.2.1.3). */
export function windowFunction({ center, width, function: shape = 'LINEAR' }: Window): (value: number) => number {
  if (shape === 'SIGMOID') return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width))
  const exact = shape === 'LINEAR_EXACT'
  const middle = exact ? center : center - 0.5
  const range = exact ? width : width - 1
  const low = middle - range / 2
  const high = middle + range / 2
  return (value) => (value <= low ? 0 : value > high ? 1 : (value - middle) / range + 0.5)
}

export function tableFunction(table: LookupTable): (value: number) => number {
  const maximum = 2 ** table.bits - 1
  return (value) => Math.min(1, lookUp(table, value) / maximum)
}
