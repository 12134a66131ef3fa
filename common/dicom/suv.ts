import { AlcoveError } from '../errors.ts'
import { fromBase64 } from './base64.ts'
import { type DicomJsonDataset, items, number, text } from './json.ts'

type SuvFailure =
  | 'no-series'
  | 'not-pet'
  | 'units'
  | 'suv-type'
  | 'not-corrected'
  | 'weight'
  | 'dose'
  | 'half-life'
  | 'times'
  | 'decay-correction'
  | 'rescale'

export type SuvResult =
  | {
      ok: true
      /** Multiply the value after rescale slope and intercept with it: g/ml, body weight (SUVbw). */
      factor: number
      /** How the factor came about, for the provenance of a result. */
      method: 'BQML' | 'GML' | 'philips-suv-scale' | 'philips-activity-scale'
      /** Seconds between injection and the time the images are decay-corrected to; null where it plays no part. */
      decaySeconds: number | null
    }
  | { ok: false; reason: SuvFailure; message: string }

type Failed = Extract<SuvResult, { ok: false }>

/** Uptake times beyond this are a date slip, not a scan: ten half-lives of F-18. */
const MAX_DECAY_SECONDS = 24 * 3600
const DAY_SECONDS = 24 * 3600

const PHILIPS = '7053'
const GE = '0009'

/**
 * The factor to body-weight SUV of a PET series by the vendor-neutral procedure of QIBA ("SUV vendor neutral
 * pseudo-code", 2012): Units BQML with decay correction START or ADMIN, CNTS with Philips' private factors, GML.
 * @param series data sets of all instances of the series (of one at least): the earliest acquisition is searched in them
 */
export function suvBodyWeight(series: readonly DicomJsonDataset[]): SuvResult {
  const [dataset] = series
  if (dataset === undefined) return failed('no-series', 'There are no images to compute SUV of.')
  const modality = text(dataset, '00080060')
  if (modality !== null && modality !== 'PT') return failed('not-pet', `SUV is defined for PET, not for ${modality}.`)
  const rescaled = series.find((one) => (number(one, '00281052') ?? 0) !== 0)
  if (rescaled !== undefined) return failed('rescale', 'The images have a rescale intercept other than 0.')
  const units = text(dataset, '00541001')
  switch (units) {
    case 'GML': {
      const type = text(dataset, '00541006')
      if (type !== null && type !== 'BW')
        return failed('suv-type', `The values are SUV normalised by ${type}, not by body weight.`)
      return { ok: true, factor: 1, method: 'GML', decaySeconds: null }
    }
    case 'CNTS':
      return philips(dataset, series)
    case 'BQML':
      return fromActivity(dataset, series, 1, 'BQML')
    default:
      return failed('units', `The images are in ${units ?? 'no stated unit'}; SUV needs BQML, GML or Philips counts.`)
  }
}

/** As suvBodyWeight. @throws AlcoveError suv/not-computable with the reason as its sentence */
export function requireSuvFactor(series: readonly DicomJsonDataset[]): Extract<SuvResult, { ok: true }> {
  const result = suvBodyWeight(series)
  if (!result.ok) throw new AlcoveError('suv/not-computable', `SUV cannot be computed: ${result.message}`)
  return result
}

function failed(reason: SuvFailure, message: string): Failed {
  return { ok: false, reason, message }
}

/** Philips: a factor to SUV (7053,xx00), or to activity (7053,xx09), when positive. */
function philips(dataset: DicomJsonDataset, series: readonly DicomJsonDataset[]): SuvResult {
  const toSuv = privateNumber(dataset, PHILIPS, 'Philips PET Private Group', '00')
  if (toSuv !== null && toSuv > 0) return { ok: true, factor: toSuv, method: 'philips-suv-scale', decaySeconds: null }
  const toActivity = privateNumber(dataset, PHILIPS, 'Philips PET Private Group', '09')
  if (toActivity !== null && toActivity > 0) return fromActivity(dataset, series, toActivity, 'philips-activity-scale')
  return failed('units', 'The images are in counts and carry no scale factor.')
}

function privateNumber(dataset: DicomJsonDataset, group: string, creator: string, element: string): number | null {
  const block = privateBlock(dataset, group, creator)
  if (block === null) return null
  const tag = `${group}${block}${element}`
  const { InlineBinary: unknown } = dataset[tag] ?? {}
  if (unknown === undefined) return number(dataset, tag)
  // Implicit VR leaves private elements as unknown bytes; these are decimal strings.
  const parsed = Number.parseFloat(String.fromCharCode(...fromBase64(unknown)))
  return Number.isFinite(parsed) ? parsed : null
}

/** Two hex digits of the block a private creator reserved (PS3.5 section 7.8.1); null when it did not. */
function privateBlock(dataset: DicomJsonDataset, group: string, creator: string): string | null {
  const tag = Object.keys(dataset).find(
    (key) => key.startsWith(`${group}00`) && key.slice(6) >= '10' && text(dataset, key) === creator,
  )
  return tag === undefined ? null : tag.slice(6)
}

function fromActivity(
  dataset: DicomJsonDataset,
  series: readonly DicomJsonDataset[],
  activityScale: number,
  method: 'BQML' | 'philips-activity-scale',
): SuvResult {
  const corrected = (dataset['00280051']?.Value ?? []).map((value) =>
    typeof value === 'string' ? value.trim().toUpperCase() : '',
  )
  if (!corrected.includes('ATTN') || !(corrected.includes('DECY') || text(dataset, '00541102') === 'ADMIN'))
    return failed('not-corrected', 'The images are not corrected for attenuation and decay.')
  const weightKg = number(dataset, '00101030')
  if (weightKg === null || weightKg <= 0) return failed('weight', 'The patient’s weight is missing.')
  const injection = items(dataset, '00540016')[0]
  const doseBq = injection === undefined ? null : number(injection, '00181074')
  if (injection === undefined || doseBq === null || doseBq <= 0) return failed('dose', 'The injected dose is missing.')
  const halfLifeSeconds = number(injection, '00181075')
  if (halfLifeSeconds === null || halfLifeSeconds <= 0)
    return failed('half-life', 'The half-life of the radionuclide is missing.')

  const grams = weightKg * 1000
  switch (text(dataset, '00541102')) {
    case 'ADMIN':
      return { ok: true, factor: (activityScale * grams) / doseBq, method, decaySeconds: 0 }
    case 'START': {
      const scan = scanStart(dataset, series, halfLifeSeconds)
      if (scan === null) return failed('times', 'The time of the scan is missing.')
      const decaySeconds = uptakeSeconds(injection, scan)
      if (decaySeconds === null)
        return failed('times', 'The time of injection is missing or does not fit the time of the scan.')
      const decayed = doseBq * 2 ** (-decaySeconds / halfLifeSeconds)
      return { ok: true, factor: (activityScale * grams) / decayed, method, decaySeconds }
    }
    default:
      return failed('decay-correction', 'The images are decay-corrected to neither injection nor start of the scan.')
  }
}

/**
 * When the images are decay-corrected to: Series Date and Time where no acquisition began before (they are then the
 * start of the scan); GE's private scan time; else computed back from the frame reference time, because the series was
 * written later than it was scanned. Seconds on a common clock.
 */
function scanStart(
  dataset: DicomJsonDataset,
  series: readonly DicomJsonDataset[],
  halfLifeSeconds: number,
): number | null {
  const seriesStart = dateTime(text(dataset, '00080021'), text(dataset, '00080031'))
  const acquisitions = series.flatMap((one) => acquisitionStart(one) ?? [])
  const earliest = acquisitions.length === 0 ? null : acquisitions.reduce((a, b) => Math.min(a, b))
  if (seriesStart !== null && (earliest === null || seriesStart <= earliest)) return seriesStart

  const block = privateBlock(dataset, GE, 'GEMS_PETD_01')
  const geScan = block === null ? null : timestamp(text(dataset, `${GE}${block}0D`))
  if (geScan !== null) return geScan

  const acquisition = acquisitionStart(dataset)
  const durationSeconds = (number(dataset, '00181242') ?? 0) / 1000
  const referenceSeconds = (number(dataset, '00541300') ?? 0) / 1000
  if (acquisition !== null && durationSeconds > 0 && referenceSeconds > 0) {
    const constant = Math.LN2 / halfLifeSeconds
    const decay = constant * durationSeconds
    const averageSeconds = Math.log(decay / (1 - Math.exp(-decay))) / constant
    return acquisition - referenceSeconds + averageSeconds
  }
  return earliest
}

function acquisitionStart(dataset: DicomJsonDataset): number | null {
  return (
    timestamp(text(dataset, '0008002A')) ??
    dateTime(text(dataset, '00080022') ?? text(dataset, '00080021'), text(dataset, '00080032'))
  )
}

/**
 * Seconds from injection to `scan`; null when unknown. A start date and time that cannot be (de-identification moves
 * dates apart) counts by its time of day; a time of day later than the scan's was the evening before.
 */
function uptakeSeconds(injection: DicomJsonDataset, scan: number): number | null {
  const exact = timestamp(text(injection, '00181078'))
  if (exact !== null && scan >= exact && scan - exact <= MAX_DECAY_SECONDS) return scan - exact
  const startDateTime = text(injection, '00181078')
  const ofDay = secondsOfDay(text(injection, '00181072') ?? (startDateTime === null ? null : startDateTime.slice(8)))
  if (ofDay === null) return null
  const elapsed = (((scan % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS) - ofDay
  return elapsed >= 0 ? elapsed : elapsed + DAY_SECONDS
}

/** DA "YYYYMMDD" → days since 1970; null when it is none. */
function days(date: string | null): number | null {
  const match = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(date ?? '')
  if (match === null) return null
  const [, year, month, day] = match
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day))
  return Number.isFinite(time) ? time / (DAY_SECONDS * 1000) : null
}

/** TM "HH[MM[SS[.ffffff]]]", also with colons, and with a zone behind it (ignored) → seconds; null when it is none. */
function secondsOfDay(time: string | null): number | null {
  const match = /^(\d{2}):?(\d{2})?:?(\d{2}(?:\.\d*)?)?(?:[+-]\d{4})?$/.exec(time ?? '')
  if (match === null) return null
  const seconds = Number(match[1]) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0)
  return seconds < DAY_SECONDS + 1 ? seconds : null
}

function dateTime(date: string | null, time: string | null): number | null {
  const day = days(date)
  const seconds = secondsOfDay(time)
  return day === null || seconds === null ? null : day * DAY_SECONDS + seconds
}

/** DT "YYYYMMDDHHMMSS.ffffff[&ZZXX]": local time as the scanner wrote it, like its DA and TM. */
function timestamp(value: string | null): number | null {
  return value === null ? null : dateTime(value.slice(0, 8), value.slice(8))
}
