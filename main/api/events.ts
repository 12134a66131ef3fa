import { formatEvent, HEARTBEAT, HEARTBEAT_MS } from '#common/contract/event-stream.ts'
import type { EventBus } from '../workstation.ts'

/** A reader this far behind (in events) is let go; it reconnects and reads the lists anew. */
const MAX_BACKLOG = 1_000

/**
 * Every event from now on, as text/event-stream. Ends when the caller leaves (`signal`, or the stream is cancelled).
 */
export function eventStream(events: EventBus, signal: AbortSignal, heartbeatMs = HEARTBEAT_MS): Response {
  const encoder = new TextEncoder()
  let leave = (): void => {}
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        const send = (text: string): void => {
          if ((controller.desiredSize ?? 0) < -MAX_BACKLOG) end()
          else controller.enqueue(encoder.encode(text))
        }
        const unsubscribe = events.subscribe((event) => send(formatEvent(event)))
        const heartbeat = setInterval(() => send(HEARTBEAT), heartbeatMs)
        heartbeat.unref()
        leave = () => {
          unsubscribe()
          clearInterval(heartbeat)
          signal.removeEventListener('abort', end)
        }
        const end = (): void => {
          leave()
          controller.close()
        }
        signal.addEventListener('abort', end)
        // Something at once, so that the caller knows it is connected.
        send(HEARTBEAT)
      },
      cancel: () => leave(),
    },
    { highWaterMark: 64 },
  )
  return new Response(stream, { headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' } })
}
