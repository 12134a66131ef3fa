import { problemOf } from '#common/contract/client.ts'
import { decodeFramePack, type PackedFrame } from '#common/contract/frame-pack.ts'
import { AlcoveError } from '#common/errors.ts'
import { api } from '../app/api.ts'
import type { FrameInfo } from './frames-of-series.ts'

export interface SeriesAddress {
  studyInstanceUID: string
  seriesInstanceUID: string
}

/**
 * Frames of one series in their stored transfer syntax, in the order asked, in one request.
 * @throws AlcoveError with the workstation's own problem, dicom/truncated when the answer holds fewer frames
 */
export async function fetchFrames(
  address: SeriesAddress,
  frames: FrameInfo[],
  signal: AbortSignal,
): Promise<PackedFrame[]> {
  const packed = decodeFramePack(
    await api.seriesFrames({
      params: { study: address.studyInstanceUID, series: address.seriesInstanceUID },
      body: { frames: frames.map(({ sopInstanceUID, frameNumber }) => ({ sop: sopInstanceUID, frame: frameNumber })) },
      signal,
    }),
  )
  if (packed.length < frames.length)
    throw new AlcoveError('dicom/truncated', 'The workstation answered with fewer frames than were asked for.')
  return packed
}

/** One frame as the workstation would show it: a PNG at full size. @throws AlcoveError with the workstation's problem */
export async function fetchRendered(address: SeriesAddress, frame: FrameInfo, signal: AbortSignal): Promise<Blob> {
  const url = `/dicom-web/studies/${address.studyInstanceUID}/series/${address.seriesInstanceUID}/instances/${frame.sopInstanceUID}/frames/${frame.frameNumber}/rendered`
  const response = await fetch(url, { headers: { Accept: 'image/png' }, signal })
  if (!response.ok) throw await problemOf(response)
  return await response.blob()
}
