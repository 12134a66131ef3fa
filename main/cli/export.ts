import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { StudyDetail } from '#common/contract/studies.ts'
import { AlcoveError, toAlcoveError } from '#common/errors.ts'
import { seriesInstanceUID, studyInstanceUID } from '#common/ids.ts'
import { writeNifti } from '../dicom/volume/nifti.ts'
import type { InstanceRecord, ReadableStudies } from '../studies/types.ts'
import { renderStoredFrame } from '../workstation-render.ts'
import { seriesVolume } from '../workstation-volume.ts'
import { findStudy } from './arguments.ts'
import type { Register } from './command.ts'
import { bytesText, count } from './format.ts'
import { type ExitCode, type Output, usageError } from './output.ts'

const FORMATS = ['dicom', 'nifti', 'png'] as const
type Format = (typeof FORMATS)[number]

interface ExportResult {
  studyInstanceUID: string
  format: Format
  out: string
  files: string[]
  bytes: number
  skipped: { seriesInstanceUID: string; sopInstanceUID: string | null; code: string; message: string }[]
}

interface Job {
  studies: ReadableStudies
  study: StudyDetail
  /** Folder of the study; names inside are UIDs, never anything of the patient. */
  folder: string
  result: ExportResult
  output: Output
  signal: AbortSignal
}

/** Written beside its place and renamed, so that what has its name is whole. */
async function place(job: Job, path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.part`
  try {
    await write(temporary)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  job.result.files.push(path)
  job.result.bytes += (await stat(path)).size
  job.output.progress(`${count(job.result.files.length, 'file')}, ${bytesText(job.result.bytes)}`)
}

/** Runs one piece; what cannot be exported is told and the rest goes on. */
async function attempt(job: Job, series: string, instance: string | null, work: () => Promise<void>): Promise<void> {
  if (job.signal.aborted) throw new AlcoveError('task/cancelled', 'Stopped. What was written stays.')
  try {
    await work()
  } catch (error) {
    const { code, message } = toAlcoveError(error)
    if (code === 'internal' || code === 'task/cancelled' || code === 'store/corrupt') throw error
    job.result.skipped.push({ seriesInstanceUID: series, sopInstanceUID: instance, code, message })
  }
}

async function recordsWithFolder(job: Job): Promise<[InstanceRecord, string][]> {
  const records = job.studies.instances(studyInstanceUID(job.study.studyInstanceUID))
  const folders = new Map<string, string>()
  for (const { seriesInstanceUID: series } of records) {
    if (folders.has(series)) continue
    folders.set(series, join(job.folder, series))
    await mkdir(join(job.folder, series), { recursive: true })
  }
  return records.map((record) => [record, folders.get(record.seriesInstanceUID)!])
}

async function exportDicom(job: Job): Promise<void> {
  for (const [record, folder] of await recordsWithFolder(job)) {
    await attempt(job, record.seriesInstanceUID, record.sopInstanceUID, () =>
      place(job, join(folder, `${record.sopInstanceUID}.dcm`), (path) =>
        pipeline(
          Readable.from(job.studies.file(record.studyInstanceUID, record.sopInstanceUID)),
          createWriteStream(path, { flags: 'wx' }),
          { signal: job.signal },
        ),
      ),
    )
  }
}

async function exportPng(job: Job): Promise<void> {
  for (const [record, folder] of await recordsWithFolder(job)) {
    for (let frame = 1; frame <= record.frames; frame++) {
      await attempt(job, record.seriesInstanceUID, record.sopInstanceUID, async () => {
        const png = await renderStoredFrame(job.studies, record, frame, { format: 'png' })
        const name = record.frames === 1 ? record.sopInstanceUID : `${record.sopInstanceUID}-${frame}`
        await place(job, join(folder, `${name}.png`), (path) => writeFile(path, png))
      })
    }
  }
}

async function exportNifti(job: Job): Promise<void> {
  await mkdir(job.folder, { recursive: true })
  const study = studyInstanceUID(job.study.studyInstanceUID)
  for (const { seriesInstanceUID: uid, frames } of job.study.seriesList) {
    if (frames === 0) continue
    await attempt(job, uid, null, async () => {
      const volume = await seriesVolume(job.studies, study, seriesInstanceUID(uid), { signal: job.signal })
      const bytes = await writeNifti(volume)
      await place(job, join(job.folder, `${uid}.nii.gz`), (path) => writeFile(path, bytes))
    })
  }
}

const EXPORTERS: Record<Format, (job: Job) => Promise<void>> = {
  dicom: exportDicom,
  nifti: exportNifti,
  png: exportPng,
}

function exitCodeOf({ files, skipped }: ExportResult): ExitCode {
  if (skipped.length === 0) return files.length > 0 ? 0 : 1
  return files.length > 0 ? 3 : 1
}

function describe(result: ExportResult): string {
  return [
    `Wrote ${count(result.files.length, 'file')} (${bytesText(result.bytes)}) to ${result.out}.`,
    ...result.skipped.map((one) => `Left out ${one.sopInstanceUID ?? one.seriesInstanceUID}: ${one.message}`),
    'These files are not encrypted and carry the patient data of the study.',
  ].join('\n')
}

export const registerExport: Register = (program, run) => {
  program
    .command('export')
    .description('write a study out: DICOM byte for byte, NIfTI volumes, or PNG pictures')
    .argument('<study>')
    .requiredOption('--out <dir>', 'folder to write to; a folder named by the study is made in it')
    .option('--format <format>', `one of ${FORMATS.join(', ')}`, 'dicom')
    .option('--deidentify <profile>', 'not available yet')
    .action(
      run<{ out: string; format: string; deidentify?: string }>(async (context, [uid], options) => {
        const format = FORMATS.find((name) => name === options.format)
        if (format === undefined) throw usageError(`--format is one of ${FORMATS.join(', ')}.`)
        if (options.deidentify !== undefined) {
          throw usageError('De-identified export is not part of this version yet; nothing was written.')
        }
        const workstation = await context.open()
        const study = findStudy(workstation, uid!)
        const folder = join(resolve(options.out), study.studyInstanceUID)
        const result: ExportResult = {
          studyInstanceUID: study.studyInstanceUID,
          format,
          out: folder,
          files: [],
          bytes: 0,
          skipped: [],
        }
        const { output, signal } = context
        await EXPORTERS[format]({ studies: workstation.studies, study, folder, result, output, signal })
        output.result(result, () => describe(result))
        return exitCodeOf(result)
      }),
    )
}
