/** The line to the main process, whichever way this process was started. */
export interface EnginePort {
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
}

/** Electron's utilityProcess gives `process.parentPort`; its messages arrive as events. */
interface UtilityPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown }) => void): void
}

export function parentPort(): EnginePort {
  const utility = (process as { parentPort?: UtilityPort }).parentPort
  if (utility !== undefined)
    return {
      send: (message) => utility.postMessage(message),
      onMessage: (listener) => utility.on('message', ({ data }) => listener(data)),
    }
  if (process.send === undefined) throw new Error('This file is started by Alcove as a process of its own.')
  // Without the application there is nobody to work for.
  process.once('disconnect', () => process.exit(0))
  return {
    send: (message) => process.send?.(message),
    onMessage: (listener) => void process.on('message', listener),
  }
}
