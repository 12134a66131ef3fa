import { Worker } from 'node:worker_threads'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { AlcoveError } from '#common/errors.ts'
import type { PixelReply, PixelRequest } from './dicom/pixels/pixel-worker.ts'
import type { RenderedImage, RenderOptions } from './dicom/pixels/render.ts'
import type { DecodedFrame, PixelFormat } from './dicom/types.ts'
import { processEntry } from './process-entry.ts'

type Answer = Extract<PixelReply, { decoded: DecodedFrame }>

interface Waiting {
  resolve: (answer: Answer) => void
  reject: (error: AlcoveError) => void
}

/** One thread for the whole process, started when first needed; it keeps no process alive. */
let running: { worker: Worker; waiting: Map<number, Waiting> } | null = null
let nextId = 1

function start(): NonNullable<typeof running> {
  const worker = new Worker(processEntry('pixel-worker'))
  const waiting = new Map<number, Waiting>()
  const mine = { worker, waiting }
  const fail = (cause: unknown): void => {
    if (running === mine) running = null
    for (const { reject } of waiting.values()) {
      reject(new AlcoveError('internal', 'The thread that decodes images ended unexpectedly.', { cause }))
    }
    waiting.clear()
  }
  worker.on('message', (reply: PixelReply) => {
    const entry = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (waiting.size === 0) worker.unref()
    if ('error' in reply) entry?.reject(new AlcoveError(reply.error.code, reply.error.message))
    else entry?.resolve(reply)
  })
  worker.on('error', fail)
  worker.on('exit', fail)
  worker.unref()
  return mine
}

function ask(request: Omit<PixelRequest, 'id'>): Promise<Answer> {
  running ??= start()
  const { worker, waiting } = running
  const id = nextId++
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject })
    worker.ref()
    worker.postMessage({ ...request, id } satisfies PixelRequest)
  })
}

/** decodeFrame, off the main thread. @throws as decodeFrame */
export async function decodeAside(bytes: Uint8Array, format: PixelFormat): Promise<DecodedFrame> {
  const { decoded } = await ask({ bytes, format, show: null })
  return decoded
}

/** decodeFrame and renderFrame, off the main thread. @throws as both */
export async function renderAside(
  bytes: Uint8Array,
  format: PixelFormat,
  dataset: DicomJsonDataset,
  options: RenderOptions,
): Promise<RenderedImage> {
  const { shown } = await ask({ bytes, format, show: { dataset, options } })
  if (shown === null) throw new AlcoveError('internal', 'The thread that decodes images gave no picture.')
  return shown
}
