import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { studyInstanceUID } from '#common/ids.ts'
import { generateCt, generateDemoStudy } from '#main/demo/generate.ts'
import { openWorkstation } from '#main/workstation-open.ts'
import type { Workstation } from '#main/workstation.ts'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { benchImport } from './bench/import.ts'
import { benchInference } from './bench/inference.ts'
import { table } from './bench/report.ts'
import type { Figure } from './bench/report.ts'
import { benchViewer } from './bench/viewer.ts'

const CHEST_CT_ZIP = 'dicom/cptac-lscc-chest-ct.zip'
const GENERATED = { slices: 400, rows: 512, columns: 512 } as const

interface BenchStudy {
  name: string
  /** What is imported for the viewer: a folder or a ZIP. */
  path: string
  voxelBytes: number
}

async function folderFiles(folder: string): Promise<{ files: string[]; bytes: number }> {
  const names = await readdir(folder, { recursive: true })
  const entries = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), stats: await stat(join(folder, name)) })),
  )
  const files = entries.filter(({ stats }) => stats.isFile())
  return { files: files.map(({ path }) => path), bytes: files.reduce((sum, { stats }) => sum + stats.size, 0) }
}

/** The real chest CT as plain files: exported from a store of our own, so that no unpacking is measured. */
async function unpack(work: string): Promise<string> {
  const folder = join(work, 'chest-ct')
  await mkdir(folder)
  const scratch = await openWorkstation({
    dataDir: join(work, 'unpack'),
    passphrase: 'benchmark only',
    createIfMissing: true,
  })
  const { studies } = await scratch.importer.import([{ kind: 'path', path: sharedPath(CHEST_CT_ZIP) }])
  if (studies[0] === undefined) throw new Error('The chest CT did not import.')
  const uid = studyInstanceUID(studies[0].studyInstanceUID)
  for (const { sopInstanceUID } of scratch.studies.instances(uid)) {
    const chunks: Uint8Array[] = []
    for await (const chunk of scratch.studies.file(uid, sopInstanceUID)) chunks.push(chunk)
    await writeFile(join(folder, `${sopInstanceUID}.dcm`), Buffer.concat(chunks))
  }
  await scratch.close()
  return folder
}

async function importStudy(workstation: Workstation, path: string): Promise<string> {
  const { studies } = await workstation.importer.import([{ kind: 'path', path }])
  const uid = studies[0]?.studyInstanceUID
  if (uid === undefined) throw new Error(`Nothing was imported from ${path}.`)
  return uid
}

async function main(): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'alcove-bench-'))
  const figures: Figure[] = []
  const show = (part: Figure[]): void => {
    figures.push(...part)
    process.stdout.write(`${table(part)}\n`)
  }
  try {
    const studies: BenchStudy[] = []
    if (sharedData === null) show([{ name: 'chest CT', skipped: 'the shared sample data is not here' }])
    else studies.push({ name: 'chest CT, 99 slices', path: await unpack(work), voxelBytes: 99 * 512 * 512 * 2 })
    const generated = join(work, 'ct-400')
    await generateCt({ directory: generated, ...GENERATED })
    studies.push({ name: 'generated CT, 400 slices', path: generated, voxelBytes: 400 * 512 * 512 * 2 })

    for (const { name, path } of studies) {
      const { files, bytes } = await folderFiles(path)
      show(await benchImport(name, path, files, bytes))
    }
    const workstation = await openWorkstation({
      dataDir: join(work, 'data'),
      passphrase: 'benchmark only',
      createIfMissing: true,
    })
    const opened = []
    for (const { name, path, voxelBytes } of studies)
      opened.push({ name, voxelBytes, studyInstanceUID: await importStudy(workstation, path) })
    show(await benchViewer(workstation, opened))
    const demo = await generateDemoStudy(join(work, 'demo'))
    await importStudy(workstation, join(work, 'demo'))
    show(await benchInference(workstation, demo.studyInstanceUID, demo.petSeriesInstanceUID))
    await workstation.close()
    await mkdir('bench-results', { recursive: true })
    await writeFile(
      'bench-results/latest.json',
      `${JSON.stringify({ at: new Date().toISOString(), figures }, null, 2)}\n`,
    )
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

await main()
