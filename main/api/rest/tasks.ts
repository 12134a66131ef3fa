import { AlcoveError } from '#common/errors.ts'
import type { Task } from '#common/contract/tasks.ts'
import { eventStream } from '../events.ts'
import type { Workstation } from '../../workstation.ts'
import type { Handlers } from './handler.ts'

function requireTask(workstation: Workstation, id: string): Task {
  const task = workstation.tasks.get(id)
  if (task === null) throw new AlcoveError('not-found', 'There is no such task.')
  return task
}

export const taskHandlers: Pick<Handlers, 'listTasks' | 'getTask' | 'cancelTask' | 'events'> = {
  listTasks: (_, { workstation }) => ({ tasks: workstation.tasks.list() }),
  getTask: ({ params }, { workstation }) => requireTask(workstation, params.task),
  /** Cancelling what has ended already changes nothing and is no error: the caller could not have known. */
  cancelTask({ params }, { workstation }) {
    requireTask(workstation, params.task)
    workstation.tasks.cancel(params.task)
    return requireTask(workstation, params.task)
  },
  events: ({ request }, { workstation }) => eventStream(workstation.events, request.signal),
}
