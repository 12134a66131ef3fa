import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The inference process as the main process sees it. */
export interface EngineProcess {
  readonly pid: number | undefined
  /** Structured clone: typed arrays arrive as they are. */
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  /** Called once, when the process has ended for whatever reason. `detail` is for a log: exit code or signal. */
  onExit(listener: (detail: string) => void): void
  /** Ends it at once. */
  kill(): void
}

/** How a process of its own is started: Node's fork here, Electron's utilityProcess in the Electron shell. */
export type EngineSpawner = (entry: URL) => EngineProcess

/** The inference process needs the machine's environment (drivers, libraries), but none of Alcove's own settings. */
export function engineEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ALCOVE_')))
}

export const forkEngine: EngineSpawner = (entry) => {
  const child = fork(fileURLToPath(entry), [], {
    serialization: 'advanced',
    // A debugger's or test runner's flags are the parent's own.
    execArgv: [],
    env: engineEnvironment(),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  // A send that fails means that the process is gone; its exit is reported by onExit.
  child.on('error', () => undefined)
  return {
    pid: child.pid,
    send: (message) => {
      if (child.connected) child.send(message as object, () => undefined)
    },
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) =>
      void child.once('exit', (code, signal) => listener(signal === null ? `exit code ${code}` : `signal ${signal}`)),
    kill: () => void child.kill('SIGKILL'),
  }
}
