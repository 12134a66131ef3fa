import { streamOf } from '#node/http/body.ts'
import { type DicomJsonDataset, type DicomJsonElement, type DicomJsonValue, text } from '#common/dicom/json.ts'
import { AlcoveError } from '#common/errors.ts'
import type { InstanceRecord, ReadableStudies } from '../../studies/types.ts'
import { acceptedTypes, mediaMatches, negotiate } from '../accept.ts'
import { resolveInstances, resourceUrl, serviceRoot, type Target } from './addresses.ts'
import { DICOM_JSON } from './qido.ts'

/** Bulk data is read and sent in pieces of this size. */
const BULK_PIECE_BYTES = 4 * 1024 * 1024

/** Turns the store's own "bulk:<offset>:<length>" into addresses below the instance's, at any depth. */
function withBulkAddresses(dataset: DicomJsonDataset, instanceUrl: string): DicomJsonDataset {
  const isDataset = (value: DicomJsonValue): value is DicomJsonDataset => typeof value === 'object' && value !== null
  const rewrite = (element: DicomJsonElement): DicomJsonElement => {
    const place = /^bulk:([0-9]+):([0-9]+)$/.exec(element.BulkDataURI ?? '')
    if (place !== null) return { ...element, BulkDataURI: `${instanceUrl}/bulkdata/${place[1]}-${place[2]}` }
    if (element.vr !== 'SQ' || element.Value === undefined) return element
    return {
      ...element,
      Value: element.Value.map((item) => (isDataset(item) ? withBulkAddresses(item, instanceUrl) : item)),
    }
  }
  return Object.fromEntries(Object.entries(dataset).map(([tag, element]) => [tag, rewrite(element)]))
}

function pixelData(record: InstanceRecord, instanceUrl: string): DicomJsonDataset {
  return record.frames === 0 ? {} : { '7FE00010': { vr: 'OW', BulkDataURI: `${instanceUrl}/pixeldata` } }
}

/** WADO-RS metadata, PS3.18 section 10.4.1.1.2: DICOM JSON with bulk data by address. */
export async function retrieveMetadata(studies: ReadableStudies, request: Request, target: Target): Promise<Response> {
  const media = negotiate(request, [DICOM_JSON, 'application/json'])
  const records = new Map(
    resolveInstances(studies, target).map((record) => [record.sopInstanceUID as string, record] as const),
  )
  const datasets = await studies.metadata(target.study!, {
    ...(target.series === undefined ? {} : { seriesInstanceUID: target.series }),
    ...(target.instance === undefined ? {} : { sopInstanceUID: target.instance }),
  })
  const root = serviceRoot(request)
  async function* documents(): AsyncGenerator<Uint8Array> {
    let separator = '['
    for (const dataset of datasets) {
      const sop = text(dataset, '00080018') ?? ''
      const record = records.get(sop)
      if (record === undefined) continue
      const url = resourceUrl(root, {
        study: record.studyInstanceUID,
        series: record.seriesInstanceUID,
        instance: record.sopInstanceUID,
      })
      const document = { ...withBulkAddresses(dataset, url), ...pixelData(record, url) }
      yield Buffer.from(separator + JSON.stringify(document))
      separator = ','
    }
    yield Buffer.from(separator === '[' ? '[]' : ']')
  }
  return new Response(streamOf(documents()), { headers: { 'Content-Type': media } })
}

/** One bulk data element, `range` being "<offset>-<length>" in the (inflated) file. */
export async function retrieveBulkData(
  studies: ReadableStudies,
  request: Request,
  target: Target,
  range: string,
): Promise<{ length: number; single: boolean; pieces: () => AsyncGenerator<Uint8Array> }> {
  const place = /^([0-9]{1,15})-([0-9]{1,15})$/.exec(range)
  if (place === null) throw new AlcoveError('not-found', 'There is no such bulk data here.')
  const [record] = resolveInstances(studies, target)
  const offset = Number(place[1])
  const length = Number(place[2])
  const single = wantsSingle(request)
  const { studyInstanceUID: study, sopInstanceUID: sop } = record!
  // The last byte tells before the answer begins whether all of it is there.
  if (length > 0) await studies.bytes(study, sop, offset + length - 1, 1)
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < length; at += BULK_PIECE_BYTES) {
      const size = Math.min(BULK_PIECE_BYTES, length - at)
      yield await studies.bytes(study, sop, offset + at, size)
    }
  }
  return { length, single, pieces }
}

/** True when the caller prefers the bytes alone over a multipart envelope. @throws request/not-acceptable */
function wantsSingle(request: Request): boolean {
  for (const range of acceptedTypes(request)) {
    if (range.media === 'multipart/related') {
      const type = range.parameters['type'] ?? '*/*'
      if (mediaMatches(type.toLowerCase(), 'application/octet-stream')) return false
    } else if (mediaMatches(range.media, 'application/octet-stream')) return true
  }
  throw new AlcoveError('request/not-acceptable', 'Bulk data is answered as application/octet-stream.')
}
