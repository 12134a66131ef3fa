import { describe, expect, it } from 'vitest'
import type { AppEvent } from '#common/contract/tasks.ts'
import { studyInstanceUID } from '#common/ids.ts'
import { createEventBus } from '../workstation-events.ts'
import { createTaskManager } from '../workstation-tasks.ts'
import type { Workstation } from '../workstation.ts'
import { startPath, workstationServices } from './app-services.ts'

describe('workstationServices', () => {
  it('imports as a task that the page sees, and opens studies by an event', async () => {
    const events = createEventBus(() => undefined)
    const tasks = createTaskManager(events)
    const seen: AppEvent[] = []
    events.subscribe((event) => seen.push(event))
    const importer: Workstation['importer'] = {
      import: async (sources) => {
        const studies: never[] = []
        return {
          studies,
          imported: [...(sources as Iterable<unknown>)].length,
          duplicates: 0,
          rejected: [],
          seconds: 0,
        }
      },
    }
    const services = workstationServices(
      { events, tasks, importer, close: async () => undefined },
      async () => new Response(),
    )
    services.importPaths(['/a', '/b'])
    services.openStudy(studyInstanceUID('1.2.3'))
    await tasks.close()
    expect(seen).toContainEqual({ type: 'open-study', studyInstanceUID: '1.2.3' })
    const last = seen.filter((event) => event.type === 'task').at(-1)
    expect(last).toMatchObject({ task: { kind: 'import', state: 'done', result: { imported: 2 } } })
  })

  it('keeps the app alive when an import fails: the task tells it', async () => {
    const events = createEventBus(() => undefined)
    const tasks = createTaskManager(events)
    const importer: Workstation['importer'] = {
      import: () => Promise.reject(new Error('the disk is gone')),
    }
    const services = workstationServices(
      { events, tasks, importer, close: async () => undefined },
      async () => new Response(),
    )
    services.importPaths(['/a'])
    await expect.poll(() => tasks.list()[0]?.state).toBe('failed')
  })

  it('knows the page of a study', () => {
    expect(startPath(null)).toBe('/')
    expect(startPath('1.2.3')).toBe('/#/study/1.2.3')
  })
})
