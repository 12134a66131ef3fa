import { number, text, type DicomJsonDataset } from '#common/dicom/json.ts'
import type { ModelManifest } from '#common/model/manifest.ts'

const AGE_UNITS: Record<string, number> = { D: 1 / 365.25, W: 7 / 365.25, M: 1 / 12, Y: 1 }

/** YYYYMMDD → days since 1970; null when it is none. */
function days(date: string | null): number | null {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(date ?? '')
  return match === null ? null : Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])) / 86_400_000
}

/** Patient's Age (0010,1010), or the time from birth to study; null when neither is known. */
export function ageYears(dataset: DicomJsonDataset): number | null {
  const age = /^(\d{1,3})([DWMY])$/.exec(text(dataset, '00101010') ?? '')
  if (age !== null) return Number(age[1]) * (AGE_UNITS[age[2]!] ?? 1)
  const [birth, study] = [days(text(dataset, '00100030')), days(text(dataset, '00080020'))]
  return birth === null || study === null || study < birth ? null : (study - birth) / 365.25
}

/**
 * What of the patient and the image lies outside what the model was made for; one sentence each. An attribute the
 * header does not give is not warned about.
 */
export function scopeWarnings(dataset: DicomJsonDataset, scope: ModelManifest['scope']): string[] {
  const warnings: string[] = []
  const age = ageYears(dataset)
  const range = scope?.ageYears
  // An age in whole years counts until the next birthday.
  if (range !== undefined && age !== null && (age < range.min || Math.floor(age) > range.max))
    warnings.push(
      `The model was made for patients of ${range.min} to ${range.max} years; this one's age is outside. Do not rely on the result.`,
    )
  const bodyPart = text(dataset, '00180015')
  if (scope?.bodyParts !== undefined && bodyPart !== null && !scope.bodyParts.includes(bodyPart.toUpperCase()))
    warnings.push(
      `The model was made for ${scope.bodyParts.join(', ').toLowerCase()}; the header says ${bodyPart.toLowerCase()}.`,
    )
  return warnings
}

/** False for an image that states a view the model does not read. */
export function viewSuits(dataset: DicomJsonDataset, scope: ModelManifest['scope']): boolean {
  const view = text(dataset, '00185101')
  return scope?.viewPositions === undefined || view === null || scope.viewPositions.includes(view.toUpperCase())
}

/** Instance Number, for a stable order; instances without one come last. */
export function instanceOrder(a: DicomJsonDataset, b: DicomJsonDataset): number {
  return (number(a, '00200013') ?? Infinity) - (number(b, '00200013') ?? Infinity) || 0
}
