import { randomUUID } from 'node:crypto'
import type { Task } from '#common/contract/tasks.ts'
import { AlcoveError, toAlcoveError } from '#common/errors.ts'
import type { EventBus, Tasks } from './workstation.ts'

/** Ended tasks that stay visible. */
const KEPT_TASKS = 200
/** Progress is told at most this often; the first, the last and every change of state always. */
const PROGRESS_INTERVAL_MS = 100

interface Entry {
  task: Task
  controller: AbortController
  settled: Promise<unknown>
  toldAt: number
}

export interface TaskManager extends Tasks {
  /** Cancels everything and waits until all of it has stopped. */
  close(): Promise<void>
}

/** What a task's error tells: internal errors may carry paths or values, so they tell only that they happened. */
function errorOf(error: unknown): NonNullable<Task['error']> {
  const known = toAlcoveError(error)
  return {
    code: known.code,
    message: known.code === 'internal' ? 'Something went wrong inside Alcove; its log says more.' : known.message,
  }
}

export function createTaskManager(
  events: EventBus,
  options: { now?: () => number; onFailure?: (task: Task, error: unknown) => void } = {},
): TaskManager {
  const now = options.now ?? Date.now
  const entries = new Map<string, Entry>()
  let closed = false

  const tell = (entry: Entry, task: Task): void => {
    entry.task = task
    entry.toldAt = now()
    events.publish({ type: 'task', task })
  }

  const forgetOld = (): void => {
    const ended = [...entries.values()].filter((entry) => entry.task.state !== 'running')
    for (const entry of ended.slice(0, Math.max(0, ended.length - KEPT_TASKS))) entries.delete(entry.task.id)
  }

  const end = (entry: Entry, outcome: Partial<Task>): void => {
    tell(entry, { ...entry.task, ...outcome, endedAt: new Date(now()).toISOString() })
    forgetOld()
  }

  return {
    start(kind, work) {
      if (closed) throw new AlcoveError('store/in-use', 'Alcove is closing; nothing new is started.')
      const controller = new AbortController()
      const task: Task = {
        id: randomUUID(),
        kind,
        state: 'running',
        progress: { done: 0, total: null, note: '' },
        startedAt: new Date(now()).toISOString(),
        endedAt: null,
        error: null,
        result: null,
      }
      const entry: Entry = { task, controller, settled: Promise.resolve(), toldAt: 0 }
      entries.set(task.id, entry)
      tell(entry, task)
      const report = (progress: Task['progress']): void => {
        if (entry.task.state !== 'running') return
        entry.task = { ...entry.task, progress }
        if (now() - entry.toldAt >= PROGRESS_INTERVAL_MS) tell(entry, entry.task)
      }
      const result = (async () => work({ signal: controller.signal, report }))()
      entry.settled = result.then(
        (value) => end(entry, { state: 'done', result: value }),
        (error: unknown) => {
          const stopped = controller.signal.aborted || toAlcoveError(error).code === 'task/cancelled'
          end(entry, { state: stopped ? 'cancelled' : 'failed', error: errorOf(error) })
          if (!stopped) options.onFailure?.(entry.task, error)
        },
      )
      return { task, result }
    },
    list: () => [...entries.values()].map((entry) => entry.task).reverse(),
    get: (id) => entries.get(id)?.task ?? null,
    cancel(id) {
      const entry = entries.get(id)
      if (entry === undefined || entry.task.state !== 'running') return false
      entry.controller.abort(new AlcoveError('task/cancelled', 'Cancelled.'))
      return true
    },
    async close() {
      closed = true
      for (const { controller } of entries.values()) {
        controller.abort(new AlcoveError('task/cancelled', 'Alcove is closing.'))
      }
      await Promise.allSettled([...entries.values()].map((entry) => entry.settled))
    },
  }
}
