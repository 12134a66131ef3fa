import { EventEmitter } from 'node:events'
import type * as Electron from 'electron'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { utilitySpawner } from './engine-spawner.ts'

interface Child {
  pid: number | undefined
  posted: unknown[]
  postMessage: (message: unknown) => void
  kill: () => boolean
}

function spawned() {
  const fields: Child = {
    pid: 4711,
    posted: [],
    postMessage: (message: unknown) => void child.posted.push(message),
    kill: vi.fn<() => boolean>(),
  }
  const child = Object.assign(new EventEmitter(), fields)
  const forks: unknown[][] = []
  const utilityProcess = { fork: (...args: unknown[]) => (forks.push(args), child) }
  const engine = utilitySpawner(utilityProcess as unknown as typeof Electron.utilityProcess)(
    new URL('file:///app/x.js'),
  )
  return { child, forks, engine }
}

describe('utilitySpawner', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('starts the entry without Alcove’s own settings and without streams', () => {
    vi.stubEnv('ALCOVE_HOME', '/secret/place')
    const [path, args, options] = spawned().forks[0] as [string, string[], { env: object; stdio: string }]
    expect(path).toBe('/app/x.js')
    expect(args).toEqual([])
    expect(options.stdio).toBe('ignore')
    expect(options.env).not.toHaveProperty('ALCOVE_HOME')
    expect(options.env).toHaveProperty('PATH')
  })

  it('passes messages both ways and tells of the end once', () => {
    const { child, engine } = spawned()
    const heard: unknown[] = []
    engine.onMessage((message) => heard.push(message))
    engine.onExit((detail) => heard.push(detail))
    engine.send({ ask: 1 })
    child.emit('message', { answer: 2 })
    child.emit('exit', 3)
    child.emit('exit', 3)
    expect(child.posted).toEqual([{ ask: 1 }])
    expect(heard).toEqual([{ answer: 2 }, 'exit code 3'])
  })

  it('ends it for good, also when it hangs', () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
    const { child, engine } = spawned()
    engine.kill()
    if (process.platform !== 'win32') expect(kill).toHaveBeenCalledWith(4711, 'SIGKILL')
    child.pid = undefined
    engine.kill()
    expect(child.kill).toHaveBeenCalled()
    kill.mockRestore()
  })
})
