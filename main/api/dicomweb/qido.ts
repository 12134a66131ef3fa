import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import type { AttributeQuery, ReadableStudies } from '../../studies/types.ts'
import { negotiate } from '../accept.ts'
import { resourceUrl, serviceRoot, type Target } from './addresses.ts'

export type QidoLevel = 'study' | 'series' | 'instance'

const ATTRIBUTE = /^[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*$/
const MAX_PARAMETERS = 200
const OWN_PARAMETERS = new Set(['limit', 'offset', 'includefield', 'fuzzymatching', 'accept', 'charset'])

export const DICOM_JSON = 'application/dicom+json'

function wholeNumber(text: string, name: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new AlcoveError('request/invalid', `${name} must be a whole number from 0.`)
  return Number(text)
}

/**
 * Search parameters of PS3.18 section 8.3.4.
 * @throws request/invalid
 */
function parseQuery(parameters: URLSearchParams, target: Target): AttributeQuery & { fuzzy: boolean } {
  const match: Record<string, string> = {}
  const include: string[] = []
  let all = false
  if ([...parameters].length > MAX_PARAMETERS) throw new AlcoveError('request/invalid', 'Too many parameters.')
  for (const [key, value] of parameters) {
    if (key === 'includefield') {
      for (const field of value.split(',').map((part) => part.trim())) {
        if (field === 'all') all = true
        else if (ATTRIBUTE.test(field)) include.push(field)
        else throw new AlcoveError('request/invalid', 'includefield takes attribute keywords or tags, or "all".')
      }
    } else if (!OWN_PARAMETERS.has(key)) {
      if (!ATTRIBUTE.test(key)) {
        throw new AlcoveError('request/invalid', 'Search parameters are attribute keywords or tags.')
      }
      // The same key twice is a list, as with UIDs separated by commas.
      match[key] = match[key] === undefined ? value : `${match[key]},${value}`
    }
  }
  const fuzzy = parameters.get('fuzzymatching') ?? 'false'
  if (fuzzy !== 'true' && fuzzy !== 'false') {
    throw new AlcoveError('request/invalid', 'fuzzymatching is true or false.')
  }
  const limit = parameters.get('limit')
  return {
    match,
    include: all ? 'all' : include,
    ...(target.study === undefined ? {} : { studyInstanceUID: target.study }),
    ...(target.series === undefined ? {} : { seriesInstanceUID: target.series }),
    limit: limit === null ? LIMITS.qidoPageSize : Math.min(wholeNumber(limit, 'limit'), LIMITS.qidoPageSize),
    offset: wholeNumber(parameters.get('offset') ?? '0', 'offset'),
    fuzzy: fuzzy === 'true',
  }
}

/** RFC 9111 style warning: code 299, the service's address, the sentence. */
function warning(root: string, sentence: string): string {
  return `299 ${root} "${sentence}"`
}

function uidOf(row: DicomJsonDataset, tag: string): string | undefined {
  const value = row[tag]?.Value?.[0]
  return typeof value === 'string' ? value : undefined
}

/** Attributes that a study row has even when nothing is known (PS3.18 table 10.6.3-3): empty, not absent. */
const ALWAYS_OF_STUDY: DicomJsonDataset = {
  '00080020': { vr: 'DA' },
  '00080030': { vr: 'TM' },
  '00080050': { vr: 'SH' },
  '00080090': { vr: 'PN' },
  '00100010': { vr: 'PN' },
  '00100020': { vr: 'LO' },
  '00100030': { vr: 'DA' },
  '00100040': { vr: 'CS' },
  '00200010': { vr: 'SH' },
}

/** Adds Retrieve URL (0008,1190), which only this door knows. Keys of DICOM JSON stand in ascending order. */
function withRetrieveUrl(row: DicomJsonDataset, root: string, target: Target, level: QidoLevel): DicomJsonDataset {
  const study = uidOf(row, '0020000D') ?? target.study
  const series = level === 'study' ? undefined : (uidOf(row, '0020000E') ?? target.series)
  const instance = level === 'instance' ? uidOf(row, '00080018') : undefined
  const url = resourceUrl(root, { study, series, instance } as Target)
  const required = level === 'study' ? ALWAYS_OF_STUDY : {}
  const full: DicomJsonDataset = { ...required, ...row, '00081190': { vr: 'UR', Value: [url] } }
  return Object.fromEntries(Object.entries(full).sort(([left], [right]) => (left < right ? -1 : 1)))
}

/**
 * QIDO-RS, PS3.18 section 10.6. Nothing found is 200 with an empty array (CP-2473), which every client reads. More
 * rows than the page holds: Warning 299 says how many remain.
 */
export function search(studies: ReadableStudies, request: Request, level: QidoLevel, target: Target): Response {
  const media = negotiate(request, [DICOM_JSON, 'application/json'])
  const query = parseQuery(new URL(request.url).searchParams, target)
  if (target.study !== undefined && studies.study(target.study) === null) {
    throw new AlcoveError('not-found', 'There is no such study here.')
  }
  const found =
    level === 'study'
      ? studies.searchStudies(query)
      : level === 'series'
        ? studies.searchSeries(query)
        : studies.searchInstances(query)
  const root = serviceRoot(request)
  const headers = new Headers({ 'Content-Type': media })
  const remaining = found.total - query.offset - found.rows.length
  if (remaining > 0) {
    headers.append('Warning', warning(root, `There are ${remaining} additional results that can be requested`))
  }
  if (found.ignored.length > 0) {
    headers.append('Warning', warning(root, `Not searched by: ${found.ignored.join(', ')}`))
  }
  if (query.fuzzy) {
    headers.append(
      'Warning',
      warning(root, 'The fuzzymatching parameter is not supported. Only literal matching has been performed.'),
    )
  }
  return new Response(JSON.stringify(found.rows.map((row) => withRetrieveUrl(row, root, target, level))), { headers })
}
