import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Debian's Python, where pydicom is; another python3 on PATH may lack it. */
const PYTHON = '/usr/bin/python3'

/** True where tests can ask pydicom; `npm test` installs it. */
export const hasPydicom: boolean = ((): boolean => {
  if (!existsSync(PYTHON)) return false
  try {
    execFileSync(PYTHON, ['-c', 'import pydicom'], { stdio: 'ignore', cwd: '/' })
    return true
  } catch {
    return false
  }
})()

export const hasDciodvfy: boolean = existsSync('/usr/bin/dciodvfy')

/** Runs a script that prints one JSON document; its arguments are in sys.argv. */
export function python<Result>(script: string, args: readonly string[] = []): Promise<Result> {
  return new Promise((resolve, reject) => {
    execFile(
      PYTHON,
      ['-W', 'ignore', '-c', script, ...args],
      { cwd: '/', maxBuffer: 512 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error !== null) reject(new Error(`python: ${stderr.slice(-2000)}`, { cause: error }))
        else resolve(JSON.parse(stdout) as Result)
      },
    )
  })
}

/** Lines of dicom3tools' verifier that begin with "Error"; empty when the object is what its SOP class asks for. */
export function dciodvfyErrors(file: string): Promise<string[]> {
  return new Promise((resolve) => {
    execFile('/usr/bin/dciodvfy', [file], (_error, stdout, stderr) => {
      resolve(`${stdout}\n${stderr}`.split('\n').filter((line) => line.startsWith('Error')))
    })
  })
}
