import { setImmediate } from 'node:timers/promises'
import { AlcoveError, toAlcoveError } from '#common/errors.ts'
import { hostMessageSchema, type EngineMessage, type EngineRequest, type RunResult } from '../messages.ts'
import type { RunContext } from './context.ts'
import type { EnginePort } from './port.ts'
import { runOrder } from './run.ts'
import { probe, runtimeName, Sessions, supportedProviders } from './sessions.ts'

/** Answers the main process's requests until the process ends. */
export function serveEngine(port: EnginePort): void {
  const sessions = new Sessions()
  const cancelled = new Set<number>()
  const send = (message: EngineMessage): void => port.send(message)

  function contextOf(id: number): RunContext {
    return {
      timings: [],
      async pause() {
        // A turn of the event loop: the cancellation waits there as a message.
        await setImmediate()
        if (cancelled.has(id)) throw new AlcoveError('task/cancelled', 'The run was cancelled.')
      },
      progress: (done, total, note) => send({ type: 'progress', id, done, total, note }),
    }
  }

  async function answer(request: EngineRequest): Promise<unknown> {
    switch (request.type) {
      case 'backends':
        return { runtime: runtimeName(), providers: supportedProviders() }
      case 'probe':
        return { ms: await probe(request.provider) }
      case 'prepare':
        return sessions.prepare(request.model, request.provider, request.golden)
      case 'release':
        await sessions.release(request.digest, request.provider)
        return {}
      case 'run':
        return runOrder(request.order, sessions, contextOf(request.id)) satisfies Promise<RunResult>
    }
  }

  async function handle(request: EngineRequest): Promise<void> {
    try {
      send({ type: 'result', id: request.id, value: await answer(request) })
    } catch (error) {
      const { code, message } = toAlcoveError(error, 'inference/failed')
      send({ type: 'error', id: request.id, code, message })
    } finally {
      cancelled.delete(request.id)
    }
  }

  port.onMessage((message) => {
    const parsed = hostMessageSchema.parse(message)
    if (parsed.type === 'cancel') cancelled.add(parsed.id)
    else void handle(parsed)
  })
  send({ type: 'ready' })
}
