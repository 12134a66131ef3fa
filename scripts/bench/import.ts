import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStudies } from '#main/studies/open-studies.ts'
import { openVault } from '#main/vault/open-vault.ts'
import { orthancImportSeconds, orthancInstalled } from './orthanc.ts'
import type { Figure } from './report.ts'

const ROUNDS = 3
const WARM_UP_MS = 1_000

/** Copies the files and forces them to the disk: what any import has to do at least. */
async function copySeconds(files: readonly string[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'alcove-bench-copy-'))
  try {
    const started = performance.now()
    for (const file of files) {
      const bytes = await readFile(file)
      const handle = await open(join(folder, basename(file)), 'w')
      await handle.writeFile(bytes)
      await handle.sync()
      await handle.close()
    }
    return (performance.now() - started) / 1000
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Imports into an empty encrypted store, from the call to the acknowledgement of the last instance. */
async function alcoveSeconds(folder: string, expected: number): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'alcove-bench-import-'))
  try {
    const vault = await openVault(dataDir, { passphrase: 'benchmark only', createIfMissing: true })
    const { studies, importer, warm } = await openStudies({ dataDir, vault })
    // As in an open window; Orthanc is measured running, too.
    warm()
    await sleep(WARM_UP_MS)
    const started = performance.now()
    const result = await importer.import([{ kind: 'path', path: folder }])
    const seconds = (performance.now() - started) / 1000
    await studies.close()
    if (result.imported !== expected) throw new Error(`Imported ${result.imported} of ${expected} instances.`)
    return seconds
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function best(measure: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) least = Math.min(least, await measure())
  return least
}

/** Import speed of one study beside Orthanc (REST, four connections) and beside a plain copy; best of three each. */
export async function benchImport(
  name: string,
  folder: string,
  files: readonly string[],
  bytes: number,
): Promise<Figure[]> {
  const megabytes = bytes / 1e6
  await Promise.all(files.map((file) => readFile(file))) // warm the page cache for all alike
  const copy = await best(() => copySeconds(files))
  const alcove = await best(() => alcoveSeconds(folder, files.length))
  const figures: Figure[] = [
    { name: `${name}: import`, value: megabytes / alcove, unit: 'MB/s' },
    { name: `${name}: plain copy, each file synced`, value: megabytes / copy, unit: 'MB/s' },
    { name: `${name}: import as a share of the copy`, value: copy / alcove, unit: '×', aim: { atLeast: 0.5 } },
  ]
  if (!orthancInstalled)
    return [...figures, { name: `${name}: Orthanc`, skipped: 'Orthanc is not installed (apt install orthanc)' }]
  const orthanc = await best(() => orthancImportSeconds(files))
  return [
    ...figures,
    { name: `${name}: Orthanc by REST`, value: megabytes / orthanc, unit: 'MB/s' },
    { name: `${name}: import against Orthanc`, value: orthanc / alcove, unit: '×', aim: { atLeast: 5 } },
  ]
}
