import type { AppEvent } from '#common/contract/tasks.ts'
import type { EventBus } from './workstation.ts'

/** Delivers in the order published; a listener that throws does not keep the others from hearing. */
export function createEventBus(onListenerError: (error: unknown) => void = () => {}): EventBus {
  const listeners = new Set<(event: AppEvent) => void>()
  return {
    publish(event) {
      for (const listener of listeners) {
        try {
          listener(event)
        } catch (error) {
          onListenerError(error)
        }
      }
    },
    subscribe(listener) {
      // Wrapped, so that one function subscribed twice is two subscriptions.
      const own = (event: AppEvent): void => listener(event)
      listeners.add(own)
      return () => listeners.delete(own)
    },
  }
}
