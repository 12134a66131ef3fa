import { limitedBody } from '#node/http/body.ts'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { AlcoveError } from '#common/errors.ts'
import type { StudyInstanceUID } from '#common/ids.ts'
import { LIMITS } from '#common/limits.ts'
import type { ImportOutcome, ImportSource } from '../../studies/types.ts'
import type { Workstation } from '../../workstation.ts'
import { negotiate, parseMediaType } from '../accept.ts'
import { readMultipart } from '../multipart.ts'
import { resourceUrl, serviceRoot } from './addresses.ts'
import { DICOM_JSON } from './qido.ts'

/** Failure reasons of PS3.18 section 10.5.3.2.1 and PS3.4 table B.2-1: what went wrong with one object. */
const FAILURE_REASON = {
  outOfResources: 0xa700,
  notThisStudy: 0xa900,
  cannotUnderstand: 0xc000,
  processingFailure: 0x0110,
} as const

function failureReason(code: string): number {
  if (code === 'store/full' || code.endsWith('/too-large')) return FAILURE_REASON.outOfResources
  if (code === 'store/conflict') return FAILURE_REASON.notThisStudy
  if (/^(?:dicom|file|archive)\//.test(code)) return FAILURE_REASON.cannotUnderstand
  return FAILURE_REASON.processingFailure
}

const us = (value: number): { vr: string; Value: number[] } => ({ vr: 'US', Value: [value] })
const ui = (uid: string): { vr: string; Value: string[] } => ({ vr: 'UI', Value: [uid] })

/** The response data set of PS3.18 section 10.5.3.2: Retrieve URL, Referenced and Failed SOP Sequence. */
function storeResponse(outcomes: readonly ImportOutcome[], root: string): DicomJsonDataset {
  const referenced: DicomJsonDataset[] = []
  const failed: DicomJsonDataset[] = []
  const other: DicomJsonDataset[] = []
  const studies = new Set<StudyInstanceUID>()
  for (const { state, head, rejection } of outcomes) {
    const named: DicomJsonDataset =
      head === null ? {} : { '00081150': ui(head.sopClassUID), '00081155': ui(head.sopInstanceUID) }
    if (state !== 'rejected' && head !== null) {
      studies.add(head.studyInstanceUID)
      const { studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: instance } = head
      referenced.push({
        ...named,
        '00081190': { vr: 'UR', Value: [resourceUrl(root, { study, series, instance })] },
      })
    } else {
      const reason = { '00081197': us(failureReason(rejection?.code ?? 'internal')) }
      if (head === null) other.push(reason)
      else failed.push({ ...named, ...reason })
    }
  }
  const [study] = studies
  return {
    ...(studies.size === 1 ? { '00081190': { vr: 'UR', Value: [resourceUrl(root, { study: study! })] } } : {}),
    ...(failed.length > 0 ? { '00081198': { vr: 'SQ', Value: failed } } : {}),
    ...(referenced.length > 0 ? { '00081199': { vr: 'SQ', Value: referenced } } : {}),
    // Failures that cannot be tied to a SOP instance (PS3.18 table 10.5.3-2).
    ...(other.length > 0 ? { '0008119A': { vr: 'SQ', Value: other } } : {}),
  }
}

/** 200 all stored, 202 some, 409 none (PS3.18 table 10.5.3-1). */
function statusOf(outcomes: readonly ImportOutcome[]): number {
  const failures = outcomes.filter((outcome) => outcome.state === 'rejected').length
  if (failures === 0) return 200
  return failures < outcomes.length ? 202 : 409
}

async function* sourcesOf(request: Request): AsyncGenerator<ImportSource> {
  const type = parseMediaType(request.headers.get('Content-Type') ?? '')
  const body = limitedBody(request, LIMITS.stowBodyBytes)
  if (type.media === 'application/dicom') {
    yield { kind: 'stream', name: 'part 1', chunks: body }
    return
  }
  let count = 0
  for await (const part of readMultipart(body, type.parameters['boundary'] ?? '')) {
    count += 1
    yield { kind: 'stream', name: `part ${count}`, chunks: part.body }
  }
}

/**
 * STOW-RS, PS3.18 section 10.5: multipart/related; type="application/dicom", or a single application/dicom.
 * Parts are stored while they arrive; what was stored before a broken connection stays.
 */
export async function store(
  workstation: Workstation,
  request: Request,
  onlyStudy: StudyInstanceUID | null,
): Promise<Response> {
  const media = negotiate(request, [DICOM_JSON, 'application/json'])
  const type = parseMediaType(request.headers.get('Content-Type') ?? '')
  const parts = (type.parameters['type'] ?? 'application/dicom').toLowerCase()
  const known =
    type.media === 'application/dicom' || (type.media === 'multipart/related' && parts === 'application/dicom')
  if (!known) {
    throw new AlcoveError(
      'request/unsupported-media-type',
      'Instances are stored from multipart/related; type="application/dicom" or application/dicom.',
    )
  }
  const outcomes: ImportOutcome[] = []
  await workstation.importer.import(sourcesOf(request), {
    signal: request.signal,
    onOutcome: (outcome) => outcomes.push(outcome),
    ...(onlyStudy === null ? {} : { onlyStudy }),
  })
  if (outcomes.length === 0) throw new AlcoveError('request/invalid', 'The request holds no instance.')
  return new Response(JSON.stringify(storeResponse(outcomes, serviceRoot(request))), {
    status: statusOf(outcomes),
    headers: { 'Content-Type': media },
  })
}
