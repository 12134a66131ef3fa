import { AlcoveError } from './errors.ts'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

export type StudyInstanceUID = Branded<'StudyInstanceUID'>
export type SeriesInstanceUID = Branded<'SeriesInstanceUID'>
export type SOPInstanceUID = Branded<'SOPInstanceUID'>

/**
 * A UID as DICOM PS3.5 section 9.1 asks (digits and dots, at most 64), but lenient towards the leading zeros that
 * real files carry.
 */
const UID_PATTERN = /^[0-9]+(?:\.[0-9]+)*$/
const UID_MAX_LENGTH = 64

export function isUid(text: string): boolean {
  return text.length > 0 && text.length <= UID_MAX_LENGTH && UID_PATTERN.test(text)
}

function parseUid(text: string, what: string): string {
  if (!isUid(text))
    throw new AlcoveError('request/invalid', `${what} must be a DICOM UID: digits and dots, at most 64.`)
  return text
}

/** @throws AlcoveError request/invalid when `text` is not a UID */
export function studyInstanceUID(text: string): StudyInstanceUID {
  return parseUid(text, 'Study Instance UID') as StudyInstanceUID
}

/** @throws AlcoveError request/invalid when `text` is not a UID */
export function seriesInstanceUID(text: string): SeriesInstanceUID {
  return parseUid(text, 'Series Instance UID') as SeriesInstanceUID
}

/** @throws AlcoveError request/invalid when `text` is not a UID */
export function sopInstanceUID(text: string): SOPInstanceUID {
  return parseUid(text, 'SOP Instance UID') as SOPInstanceUID
}
