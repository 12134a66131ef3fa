import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ORTHANC_BINARY = '/usr/sbin/Orthanc'
const START_TIMEOUT_MS = 30_000

/** Debian's Orthanc, when it is installed: the peer that the import benchmark runs beside. */
export const orthancInstalled = existsSync(ORTHANC_BINARY)

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No port was given.')
  return address.port
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok
  } catch {
    return false
  }
}

/**
 * Starts an empty Orthanc on loopback, uploads the files by REST over `connections` connections and stops it.
 * @returns seconds from the first byte sent to the last answer
 */
export async function orthancImportSeconds(files: readonly string[], connections = 4): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'alcove-bench-orthanc-'))
  const [httpPort, dicomPort] = [await freePort(), await freePort()]
  const configuration = join(folder, 'orthanc.json')
  await writeFile(
    configuration,
    JSON.stringify({
      Name: 'bench',
      StorageDirectory: join(folder, 'storage'),
      IndexDirectory: join(folder, 'storage'),
      HttpPort: httpPort,
      DicomPort: dicomPort,
      RemoteAccessAllowed: false,
      AuthenticationEnabled: false,
      HttpThreadsCount: 8,
      Plugins: [],
    }),
  )
  const server = spawn(ORTHANC_BINARY, [configuration], { stdio: 'ignore' })
  const base = `http://127.0.0.1:${httpPort}`
  try {
    const deadline = Date.now() + START_TIMEOUT_MS
    while (!(await answers(`${base}/system`))) {
      if (Date.now() > deadline) throw new Error('Orthanc did not start within 30 s.')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const queue = [...files]
    const started = performance.now()
    await Promise.all(
      Array.from({ length: connections }, async () => {
        for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
          const answer = await fetch(`${base}/instances`, { method: 'POST', body: await readFile(file) })
          if (!answer.ok) throw new Error(`Orthanc answered ${answer.status} to an instance.`)
          await answer.arrayBuffer()
        }
      }),
    )
    return (performance.now() - started) / 1000
  } finally {
    server.kill('SIGTERM')
    await new Promise((resolve) => server.once('exit', resolve))
    await rm(folder, { recursive: true, force: true })
  }
}
