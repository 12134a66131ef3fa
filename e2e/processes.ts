import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const ROOT = join(import.meta.dirname, '..')

const run = promisify(execFile)

/** The project's own Node: the sources and the database driver need it. */
export async function runNode(args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, args, { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 })
  return stdout
}

export function startNode(args: string[]): ChildProcess {
  return spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
}

/** The one JSON document a command with --json prints. */
export function printedJson<Document>(child: ChildProcess): Promise<Document> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      try {
        resolve(JSON.parse(text) as Document)
      } catch {
        // Not whole yet.
      }
    })
    child.once('exit', (code) => reject(new Error(`The process ended with ${code} before it said anything.`)))
  })
}
