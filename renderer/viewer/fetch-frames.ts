import { problemOf } from '#common/contract/client.ts'
import { AlcoveError } from '#common/errors.ts'
import type { FrameInfo } from './frames-of-series.ts'
import { boundaryOf, parameter, parseMultipart } from './multipart.ts'

export interface EncodedFrame {
  bytes: Uint8Array
  transferSyntaxUID: string
}

export interface SeriesAddress {
  studyInstanceUID: string
  seriesInstanceUID: string
}

/** One frame comes bare; several come as parts. Both in whatever syntax they are stored. */
const ACCEPT_ONE = 'application/octet-stream; transfer-syntax=*'
const ACCEPT_SEVERAL = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'

/**
 * Frames of one instance (1-based numbers) in their stored transfer syntax, in the order asked.
 * @throws AlcoveError with the workstation's own problem, dicom/corrupt when the answer holds fewer frames
 */
export async function fetchFrames(
  address: SeriesAddress,
  frames: FrameInfo[],
  signal: AbortSignal,
): Promise<EncodedFrame[]> {
  const first = frames[0]
  if (first === undefined) return []
  const list = frames.map((frame) => frame.frameNumber).join(',')
  const url = `/dicom-web/studies/${address.studyInstanceUID}/series/${address.seriesInstanceUID}/instances/${first.sopInstanceUID}/frames/${list}`
  const response = await fetch(url, { headers: { Accept: frames.length > 1 ? ACCEPT_SEVERAL : ACCEPT_ONE }, signal })
  if (!response.ok) throw await problemOf(response)
  const body = new Uint8Array(await response.arrayBuffer())
  const contentType = response.headers.get('Content-Type') ?? ''
  const boundary = boundaryOf(contentType)
  const parts = boundary === null ? [{ contentType, bytes: body }] : parseMultipart(body, boundary)
  if (parts.length < frames.length)
    throw new AlcoveError('dicom/corrupt', 'The workstation answered with fewer frames than were asked for.')
  return parts.slice(0, frames.length).map((part, index) => ({
    bytes: part.bytes,
    transferSyntaxUID: parameter(part.contentType, 'transfer-syntax') ?? frames[index]!.transferSyntaxUID,
  }))
}

/** One frame as the workstation would show it: a PNG at full size. @throws AlcoveError with the workstation's problem */
export async function fetchRendered(address: SeriesAddress, frame: FrameInfo, signal: AbortSignal): Promise<Blob> {
  const url = `/dicom-web/studies/${address.studyInstanceUID}/series/${address.seriesInstanceUID}/instances/${frame.sopInstanceUID}/frames/${frame.frameNumber}/rendered`
  const response = await fetch(url, { headers: { Accept: 'image/png' }, signal })
  if (!response.ok) throw await problemOf(response)
  return await response.blob()
}
