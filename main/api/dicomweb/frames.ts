import { type DicomJsonDataset } from '#common/dicom/json.ts'
import { EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES } from '#common/dicom/transfer-syntax.ts'
import { AlcoveError } from '#common/errors.ts'
import { streamOf } from '#node/http/body.ts'
import { pixelFormat } from '../../dicom/codecs/pixel-format.ts'
import type { DecodedFrame, PixelFormat } from '../../dicom/types.ts'
import type { InstanceRecord, ReadableStudies } from '../../studies/types.ts'
import { decodeAside } from '../../workstation-pixels.ts'
import { acceptedTypes, mediaMatches } from '../accept.ts'
import { multipartResponse, type OutgoingPart } from '../multipart.ts'
import { resourceUrl } from './addresses.ts'

const OCTETS = 'application/octet-stream'

/** Media types of compressed bulk data, PS3.18 tables 8.7.3-4 and -5, by codec. */
const MEDIA_OF_CODEC: Readonly<Record<string, string>> = {
  rle: 'image/dicom-rle',
  jpeg: 'image/jpeg',
  'jpeg-lossless': 'image/jpeg',
  'jpeg-ls': 'image/jls',
  'jpeg-2000': 'image/jp2',
  htj2k: 'image/jphc',
  'jpeg-xl': 'image/jxl',
}

/** How frames are to be sent: as stored, or decoded to little endian samples. */
interface Representation {
  decode: boolean
  media: string
  transferSyntaxUID: string
  single: boolean
}

/** Little endian, uncompressed: the stored bytes are what Explicit VR Little Endian would hold. */
function isPlain(transferSyntaxUID: string): boolean {
  const syntax = TRANSFER_SYNTAXES.get(transferSyntaxUID)
  return syntax !== undefined && syntax.codec === 'none' && syntax.littleEndian
}

function storedSyntax(record: InstanceRecord): string {
  return isPlain(record.transferSyntaxUID) ? EXPLICIT_VR_LITTLE_ENDIAN : record.transferSyntaxUID
}

function storedMedia(record: InstanceRecord): string {
  const syntax = TRANSFER_SYNTAXES.get(record.transferSyntaxUID)
  if (syntax?.uid === '1.2.840.10008.1.2.4.91' || syntax?.uid === '1.2.840.10008.1.2.4.90') return 'image/jp2'
  return (syntax === undefined ? undefined : MEDIA_OF_CODEC[syntax.codec]) ?? OCTETS
}

/**
 * Chooses how to answer from Accept, best first (PS3.18 section 8.7.3.3.2):
 * - `application/octet-stream` with no transfer syntax or Explicit VR Little Endian: decoded samples;
 * - any type with `transfer-syntax=*` or the stored one, the stored media type, or anything: as stored.
 * @throws request/not-acceptable
 */
function chooseRepresentation(request: Request, record: InstanceRecord, frames: number): Representation {
  const media = storedMedia(record)
  const syntax = storedSyntax(record)
  for (const range of acceptedTypes(request)) {
    const multipart = range.media === 'multipart/related'
    const anything = range.media === '*/*'
    if (!multipart && !anything && frames > 1) continue
    const wanted = multipart ? (range.parameters['type'] ?? '*/*').toLowerCase() : range.media
    const wantedSyntax = range.parameters['transfer-syntax']
    const single = !multipart && !anything
    const octets = mediaMatches(wanted, OCTETS)
    const stored = wantedSyntax === '*' || wantedSyntax === syntax || wantedSyntax === record.transferSyntaxUID
    if (stored && (octets || mediaMatches(wanted, media))) {
      const named = wanted === OCTETS ? OCTETS : media
      return { decode: false, media: named, transferSyntaxUID: syntax, single }
    }
    if (wantedSyntax === undefined && wanted !== OCTETS && mediaMatches(wanted, media)) {
      return { decode: false, media, transferSyntaxUID: syntax, single }
    }
    if (octets && (wantedSyntax === undefined || wantedSyntax === EXPLICIT_VR_LITTLE_ENDIAN)) {
      const decode = !isPlain(record.transferSyntaxUID)
      return { decode, media: OCTETS, transferSyntaxUID: EXPLICIT_VR_LITTLE_ENDIAN, single }
    }
  }
  throw new AlcoveError(
    'request/not-acceptable',
    `Frames of this instance are answered as multipart/related with type="${media}" and transfer syntax ${syntax}, ` +
      `or decoded as type="${OCTETS}".`,
  )
}

/** Bytes of a decoded frame as Explicit VR Little Endian holds them; 1-bit frames are packed again (PS3.5 annex D). */
export function nativeBytes(decoded: DecodedFrame, format: PixelFormat): Uint8Array {
  const { pixels } = decoded
  if (format.bitsAllocated === 1) {
    const packed = new Uint8Array(Math.ceil(pixels.length / 8))
    for (let index = 0; index < pixels.length; index++) {
      if (pixels[index] !== 0) packed[index >> 3]! |= 1 << (index & 7)
    }
    return packed
  }
  return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength)
}

async function readAs(
  studies: ReadableStudies,
  record: InstanceRecord,
  frame: number,
  representation: Representation,
  format: PixelFormat | null,
): Promise<Uint8Array> {
  const { bytes } = await studies.frame(record.studyInstanceUID, record.sopInstanceUID, frame)
  if (format === null || !representation.decode) return bytes
  return nativeBytes(await decodeAside(bytes, format), format)
}

/** The data set of one instance. @throws not-found */
export async function datasetOf(studies: ReadableStudies, record: InstanceRecord): Promise<DicomJsonDataset> {
  const [dataset] = await studies.metadata(record.studyInstanceUID, { sopInstanceUID: record.sopInstanceUID })
  if (dataset === undefined) throw new AlcoveError('not-found', 'There is no such instance here.')
  return dataset
}

/** WADO-RS frames, PS3.18 section 10.4.1.1.6. The first frame is read before the answer begins, so that its failure has a status. */
export async function retrieveFrames(
  studies: ReadableStudies,
  request: Request,
  root: string,
  record: InstanceRecord,
  frames: number[],
): Promise<Response> {
  const representation = chooseRepresentation(request, record, frames.length)
  const format = representation.decode ? pixelFormat(await datasetOf(studies, record), record.transferSyntaxUID) : null
  const first = await readAs(studies, record, frames[0]!, representation, format)
  const contentType = `${representation.media}; transfer-syntax=${representation.transferSyntaxUID}`
  if (representation.single) {
    return new Response(streamOf(oneByOne([first])), {
      headers: { 'Content-Type': contentType, 'Content-Length': String(first.length) },
    })
  }
  const url = resourceUrl(root, {
    study: record.studyInstanceUID,
    series: record.seriesInstanceUID,
    instance: record.sopInstanceUID,
  })
  async function* parts(): AsyncGenerator<OutgoingPart> {
    for (const [index, frame] of frames.entries()) {
      const bytes = index === 0 ? first : await readAs(studies, record, frame, representation, format)
      yield { contentType, contentLocation: `${url}/frames/${frame}`, body: [bytes] }
    }
  }
  return multipartResponse(representation.media, parts())
}

async function* oneByOne(chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}
