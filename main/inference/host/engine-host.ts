import type { z } from 'zod'
import { AlcoveError } from '#common/errors.ts'
import { engineMessageSchema, type EngineRequest } from '../messages.ts'
import type { InferenceProgress } from '../types.ts'
import type { EngineProcess, EngineSpawner } from './spawner.ts'

export interface EngineHostOptions {
  spawner: EngineSpawner
  entry: URL
  /** After so long without work the process ends, and with it all memory of models and voxels. */
  idleMs?: number
  startMs?: number
  /** How long a cancelled request may go on before the process is ended instead. */
  cancelGraceMs?: number
}

interface RequestOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: InferenceProgress) => void) | undefined
  /** The longest silence (no progress, no answer) before the process is taken for hung. */
  stallMs: number
  /** Called when the message has been handed over: secrets in it may be overwritten. */
  onSent?: () => void
}

type WithoutId<T> = T extends { id: number } ? Omit<T, 'id'> : never

export interface EngineHost {
  /**
   * One request, one answer, parsed with `schema`. Starts the process when it is not running.
   * @throws what the engine throws; inference/engine-crashed, task/cancelled, task/timeout
   */
  request<Schema extends z.ZodType>(
    message: WithoutId<EngineRequest>,
    schema: Schema,
    options: RequestOptions,
  ): Promise<z.output<Schema>>
  /** null while no process runs */
  readonly pid: number | null
  close(): Promise<void>
}

interface Pending {
  resolve: (value: unknown) => void
  reject: (error: AlcoveError) => void
  heard: (progress: InferenceProgress | null) => void
}

const DEFAULTS = { idleMs: 120_000, startMs: 30_000, cancelGraceMs: 150 }

interface Running {
  process: EngineProcess
  pending: Map<number, Pending>
  ready: Promise<void>
  ended: Promise<void>
}

/** Keeps one inference process: starts it on demand, ends it when idle, hung or told to, survives its crashes. */
export function createEngineHost(given: EngineHostOptions): EngineHost {
  const options = { ...DEFAULTS, ...given }
  let running: Running | null = null
  let idle: NodeJS.Timeout | null = null
  let nextId = 1

  function start(): Running {
    const child = options.spawner(options.entry)
    const ready = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    const late = setTimeout(() => {
      ready.reject(new AlcoveError('inference/engine-crashed', 'The inference process did not start in time.'))
      child.kill()
    }, options.startMs)
    const pending = new Map<number, Pending>()
    const mine: Running = { process: child, pending, ready: ready.promise, ended: ended.promise }
    // Awaited by each request; with none waiting it is nobody's error.
    mine.ready.catch(() => undefined)
    child.onMessage((message) => {
      const parsed = engineMessageSchema.safeParse(message)
      // Whatever else arrives is not of our making; a silent engine is caught by the stall limit.
      if (!parsed.success) return
      if (parsed.data.type === 'ready') {
        clearTimeout(late)
        return ready.resolve()
      }
      const asked = pending.get(parsed.data.id)
      if (parsed.data.type === 'progress') asked?.heard(parsed.data)
      else if (parsed.data.type === 'result') asked?.resolve(parsed.data.value)
      else asked?.reject(new AlcoveError(parsed.data.code, parsed.data.message))
    })
    child.onExit((detail) => {
      clearTimeout(late)
      const error = new AlcoveError(
        'inference/engine-crashed',
        'The inference process ended unexpectedly. It starts anew with the next run; if this repeats, choose another provider.',
        { cause: new Error(detail) },
      )
      ready.reject(error)
      ended.resolve()
      if (running === mine) running = null
      for (const waiting of pending.values()) waiting.reject(error)
    })
    return mine
  }

  /** Ends the process now; requests still waiting for it are told by the exit. */
  function stop(): Promise<void> {
    if (idle !== null) clearTimeout(idle)
    idle = null
    if (running === null) return Promise.resolve()
    const { process: child, ended } = running
    child.kill()
    return ended
  }

  function settleIdle(): void {
    if (running === null || running.pending.size > 0) return
    idle = setTimeout(() => void stop(), options.idleMs)
    idle.unref()
  }

  async function request<Schema extends z.ZodType>(
    message: WithoutId<EngineRequest>,
    schema: Schema,
    { signal, onProgress, stallMs, onSent }: RequestOptions,
  ): Promise<z.output<Schema>> {
    const cancelled = (): AlcoveError => new AlcoveError('task/cancelled', 'The run was cancelled.')
    if (signal?.aborted) throw cancelled()
    if (idle !== null) clearTimeout(idle)
    idle = null
    running ??= start()
    const mine = running
    const id = nextId++
    const answer = Promise.withResolvers<unknown>()
    let timer: NodeJS.Timeout | null = null
    const giveUp = (error: AlcoveError): void => {
      answer.reject(error)
      // The next request must not meet the dying process.
      if (running === mine) running = null
      mine.process.kill()
    }
    const watch = (): void => {
      if (timer !== null) clearTimeout(timer)
      timer = setTimeout(
        () =>
          giveUp(
            new AlcoveError('task/timeout', `The inference process gave no sign for ${stallMs} ms and was ended.`),
          ),
        stallMs,
      )
    }
    const onAbort = (): void => {
      mine.process.send({ type: 'cancel', id })
      if (timer !== null) clearTimeout(timer)
      timer = setTimeout(() => giveUp(cancelled()), options.cancelGraceMs)
    }
    mine.pending.set(id, {
      resolve: answer.resolve,
      reject: answer.reject,
      heard: (progress) => {
        if (signal?.aborted) return
        watch()
        if (progress !== null) onProgress?.(progress)
      },
    })
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      watch()
      mine.ready.then(
        () => {
          mine.process.send({ ...message, id })
          onSent?.()
        },
        (error: AlcoveError) => answer.reject(error),
      )
      return schema.parse(await answer.promise)
    } finally {
      if (timer !== null) clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      mine.pending.delete(id)
      settleIdle()
    }
  }

  return {
    request,
    get pid() {
      return running?.process.pid ?? null
    },
    async close() {
      await stop()
    },
  }
}
