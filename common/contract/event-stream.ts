import { type AppEvent, eventSchema } from './tasks.ts'

/** One event as text/event-stream (WHATWG HTML 9.2). */
export function formatEvent(event: AppEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

/** Sent while nothing happens, so that a dead connection is noticed at both ends. */
export const HEARTBEAT = ': still here\n\n'
export const HEARTBEAT_MS = 15_000

/** Longest event kept while its end has not come. */
const MAX_PENDING_CHARACTERS = 64 * 1024 * 1024

/**
 * Turns pieces of an event stream, as text, into events. Comments and events this version does not know are skipped.
 * A page reads with `response.body.pipeThrough(new TextDecoderStream())` and pushes every piece.
 */
export class EventStreamParser {
  #pending = ''

  push(piece: string): AppEvent[] {
    this.#pending += piece
    const blocks = this.#pending.split('\n\n')
    this.#pending = blocks.pop() ?? ''
    if (this.#pending.length > MAX_PENDING_CHARACTERS) this.#pending = ''
    return blocks.flatMap((block) => {
      const data = block
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trimStart())
        .join('\n')
      if (data === '') return []
      const parsed = eventSchema.safeParse(JSON.parse(data))
      return parsed.success ? [parsed.data] : []
    })
  }
}
