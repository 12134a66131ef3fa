import { EventStreamParser } from '#common/contract/event-stream.ts'
import type { AppEvent } from '#common/contract/tasks.ts'
import { api } from './api.ts'

type Listener = (event: AppEvent) => void

const listeners = new Set<Listener>()
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 10_000

export function onAppEvent(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Reads the workstation's events for as long as the page lives, connecting again when the stream breaks. */
export async function followEvents(signal: AbortSignal): Promise<void> {
  let wait = FIRST_RETRY_MS
  while (!signal.aborted) {
    try {
      const response = await api.events({ signal })
      wait = FIRST_RETRY_MS
      const parser = new EventStreamParser()
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const piece = await reader?.read()
        if (piece === undefined || piece.done) break
        for (const event of parser.push(piece.value)) for (const listener of listeners) listener(event)
      }
    } catch {
      // Retried below; what matters is read again by whoever listens.
    }
    await new Promise((resolve) => setTimeout(resolve, wait))
    wait = Math.min(LONGEST_RETRY_MS, wait * 2)
  }
}
