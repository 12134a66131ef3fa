import { AlcoveError } from '#common/errors.ts'
import { streamOnceStarted } from '#node/http/body.ts'
import type { InstanceRecord, ReadableStudies } from '../../studies/types.ts'
import { acceptedTypes, mediaMatches } from '../accept.ts'
import { multipartResponse, type OutgoingPart } from '../multipart.ts'
import { resourceUrl } from './addresses.ts'

const DICOM = 'application/dicom'

/**
 * Whether the caller takes the instances in the transfer syntaxes they are stored in. Instances are kept and given
 * byte for byte; no transfer syntax asked for means the stored one (PS3.18 section 8.7.3.5.2 would have Explicit VR
 * Little Endian).
 * @returns 'single' or 'multipart', or null when not acceptable
 */
function chooseEnvelope(request: Request, records: readonly InstanceRecord[]): 'single' | 'multipart' | null {
  const holds = (syntax: string | undefined): boolean =>
    syntax === undefined || syntax === '*' || records.every((record) => record.transferSyntaxUID === syntax)
  for (const range of acceptedTypes(request)) {
    if (!holds(range.parameters['transfer-syntax'])) continue
    if (range.media === DICOM && records.length === 1) return 'single'
    const type = range.media === 'multipart/related' ? (range.parameters['type'] ?? DICOM) : range.media
    if (range.media !== DICOM && mediaMatches(type.toLowerCase(), DICOM)) return 'multipart'
  }
  return null
}

/** WADO-RS study, series or instance as files, PS3.18 section 10.4.1.1.1. */
export async function retrieveInstances(
  studies: ReadableStudies,
  request: Request,
  root: string,
  records: readonly InstanceRecord[],
): Promise<Response> {
  const envelope = chooseEnvelope(request, records)
  if (envelope === null) {
    throw new AlcoveError(
      'request/not-acceptable',
      'Instances are answered as multipart/related; type="application/dicom", or one alone as application/dicom, in the transfer syntax they are stored in.',
    )
  }
  const [first] = records
  if (envelope === 'single') {
    return new Response(await streamOnceStarted(studies.file(first!.studyInstanceUID, first!.sopInstanceUID)), {
      headers: {
        'Content-Type': `${DICOM}; transfer-syntax=${first!.transferSyntaxUID}`,
        'Content-Length': String(first!.bytes),
      },
    })
  }
  async function* parts(): AsyncGenerator<OutgoingPart> {
    for (const record of records) {
      yield {
        contentType: `${DICOM}; transfer-syntax=${record.transferSyntaxUID}`,
        contentLocation: resourceUrl(root, {
          study: record.studyInstanceUID,
          series: record.seriesInstanceUID,
          instance: record.sopInstanceUID,
        }),
        body: studies.file(record.studyInstanceUID, record.sopInstanceUID),
      }
    }
  }
  return multipartResponse(DICOM, parts())
}
