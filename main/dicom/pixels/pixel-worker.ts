import { parentPort } from 'node:worker_threads'
import { type ErrorCode, toAlcoveError } from '#common/errors.ts'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { decodeFrame } from '../codecs/decode-frame.ts'
import type { DecodedFrame, PixelFormat } from '../types.ts'
import { type RenderedImage, renderFrame, type RenderOptions } from './render.ts'

/** Decoding runs to completion once begun: in a thread of its own it holds nobody up. */
export interface PixelRequest {
  id: number
  bytes: Uint8Array
  format: PixelFormat
  /** Shown as a screen would; only decoded when null. */
  show: { dataset: DicomJsonDataset; options: RenderOptions } | null
}

export type PixelReply =
  | { id: number; decoded: DecodedFrame; shown: RenderedImage | null }
  | { id: number; error: { code: ErrorCode; message: string } }

async function answer({ id, bytes, format, show }: PixelRequest): Promise<PixelReply> {
  try {
    const decoded = await decodeFrame(bytes, format)
    if (show === null) return { id, decoded, shown: null }
    const shown = renderFrame(decoded, show.dataset, show.options)
    // Only the picture goes back.
    return { id, decoded: { ...decoded, pixels: new Uint8Array(0) }, shown }
  } catch (error) {
    const { code, message } = toAlcoveError(error)
    return { id, error: { code, message } }
  }
}

/** The buffers handed over instead of copied. */
function buffersOf(reply: PixelReply): ArrayBuffer[] {
  if ('error' in reply) return []
  const buffer = (reply.shown ?? reply.decoded).pixels.buffer
  return buffer instanceof ArrayBuffer ? [buffer] : []
}

parentPort?.on('message', (request: PixelRequest) => {
  void answer(request).then((reply) => parentPort?.postMessage(reply, buffersOf(reply)))
})
