import { describe, expect, it } from 'vitest'
import type { AppEvent } from '#common/contract/tasks.ts'
import { AlcoveError } from '#common/errors.ts'
import { createEventBus } from './workstation-events.ts'
import { createTaskManager } from './workstation-tasks.ts'

function open() {
  const events = createEventBus()
  const heard: AppEvent[] = []
  events.subscribe((event) => heard.push(event))
  const states = (): string[] => heard.map((event) => (event.type === 'task' ? event.task.state : event.type))
  return { events, heard, states, tasks: createTaskManager(events) }
}

describe('createTaskManager', () => {
  it('tells start and end and keeps the result', async () => {
    const { tasks, states } = open()
    const { task, result } = tasks.start('import', async () => ({ imported: 2 }))
    expect(await result).toEqual({ imported: 2 })
    await Promise.resolve()
    expect(tasks.get(task.id)).toMatchObject({ state: 'done', result: { imported: 2 }, error: null })
    expect(states()).toEqual(['running', 'done'])
  })

  it('tells progress, though not every step of it', async () => {
    const { tasks, heard } = open()
    const { task, result } = tasks.start('inference', async ({ report }) => {
      for (let done = 0; done <= 1000; done++) report({ done, total: 1000, note: 'tile' })
    })
    await result
    await Promise.resolve()
    expect(tasks.get(task.id)!.progress).toEqual({ done: 1000, total: 1000, note: 'tile' })
    expect(heard.length).toBeLessThan(20)
  })

  it('cancels by signal, once', async () => {
    const { tasks, states } = open()
    const { task, result } = tasks.start(
      'import',
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    )
    expect(tasks.cancel(task.id)).toBe(true)
    await expect(result).rejects.toMatchObject({ code: 'task/cancelled' })
    await tasks.close()
    expect(states()).toEqual(['running', 'cancelled'])
    expect(tasks.cancel(task.id)).toBe(false)
    expect(tasks.cancel('no such task')).toBe(false)
  })

  it('tells the sentence of a known error and hides the text of any other', async () => {
    const { tasks } = open()
    const known = tasks.start('inference', async () => {
      throw new AlcoveError('model/not-applicable', 'The study has no PET series.')
    })
    const unknown = tasks.start('import', async () => {
      throw new Error('/data/Simpson.dcm')
    })
    await Promise.allSettled([known.result, unknown.result])
    await Promise.resolve()
    expect(tasks.get(known.task.id)).toMatchObject({
      state: 'failed',
      error: { code: 'model/not-applicable', message: 'The study has no PET series.' },
    })
    expect(tasks.get(unknown.task.id)!.error!.message).not.toContain('Simpson')
  })

  it('keeps 200 ended tasks', async () => {
    const { tasks } = open()
    for (let index = 0; index < 230; index++) await tasks.start('import', async () => index).result
    await tasks.close()
    expect(tasks.list()).toHaveLength(200)
    expect(tasks.list()[0]!.result).toBe(229)
  })
})

describe('createEventBus', () => {
  it('goes on when a listener throws, and stops after unsubscribing', () => {
    const failures: unknown[] = []
    const events = createEventBus((error) => failures.push(error))
    const heard: string[] = []
    events.subscribe(() => {
      throw new Error('deaf')
    })
    const leave = events.subscribe((event) => heard.push(event.type))
    events.publish({ type: 'open-study', studyInstanceUID: '1.2' })
    leave()
    events.publish({ type: 'open-study', studyInstanceUID: '1.2' })
    expect(heard).toEqual(['open-study'])
    expect(failures).toHaveLength(2)
  })
})
