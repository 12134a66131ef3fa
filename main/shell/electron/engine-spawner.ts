import { fileURLToPath } from 'node:url'
import type * as Electron from 'electron'
import { engineEnvironment, type EngineSpawner } from '../../inference/host/spawner.ts'

/**
 * The inference process as Electron's utilityProcess: it needs no "run as Node" fuse, and Electron ends it with the
 * app. Its standard streams go nowhere: native libraries print file names.
 */
export function utilitySpawner(utilityProcess: typeof Electron.utilityProcess): EngineSpawner {
  return (entry) => {
    const child = utilityProcess.fork(fileURLToPath(entry), [], {
      serviceName: 'Alcove inference',
      env: engineEnvironment(),
      stdio: 'ignore',
    })
    return {
      get pid() {
        return child.pid
      },
      send: (message) => child.postMessage(message),
      onMessage: (listener) => void child.on('message', listener),
      onExit: (listener) => void child.once('exit', (code) => listener(`exit code ${code}`)),
      kill: () => {
        // kill() is a SIGTERM, which native code that hangs does not answer.
        if (child.pid === undefined || process.platform === 'win32') child.kill()
        else process.kill(child.pid, 'SIGKILL')
      },
    }
  }
}
