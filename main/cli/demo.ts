import { mkdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { InferenceRun } from '#common/contract/inference.ts'
import type { ImportResult } from '#common/contract/studies.ts'
import { type DemoStudy, generateDemoStudy } from '../demo/generate.ts'
import { ensurePassphraseFile, readPassphraseFile } from '../vault/passphrase-file.ts'
import type { Workstation } from '../workstation.ts'
import { openWorkstation } from '../workstation-open.ts'
import type { CommandContext, Register } from './command.ts'
import { type DemoReport, report } from './demo/report.ts'
import { inferEverything, type Refusal } from './demo/infer.ts'
import { type RunFiles, writeRunFiles } from './demo/run-files.ts'
import type { ExitCode } from './output.ts'

interface Places {
  out: string
  dataDir: string
  passphraseFile: string
}

/** Everything of the demonstration lies below `out`, except when another data folder was named. */
function placesOf(out: string, options: { dataDir?: string; passphraseFile?: string }): Places {
  return {
    out,
    dataDir: options.dataDir === undefined ? join(out, 'data') : resolve(options.dataDir),
    passphraseFile:
      options.passphraseFile === undefined ? join(out, 'passphrase.txt') : resolve(options.passphraseFile),
  }
}

async function importAll(context: CommandContext, workstation: Workstation, paths: string[]): Promise<ImportResult> {
  return workstation.importer.import(
    paths.map((path) => ({ kind: 'path' as const, path })),
    {
      signal: context.signal,
      onProgress: ({ done, total }) =>
        context.output.progress(`Importing ${done}${total === null ? '' : ` of ${total}`}`),
    },
  )
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; seconds: number }> {
  const start = performance.now()
  const value = await work()
  return { value, seconds: (performance.now() - start) / 1000 }
}

async function runDemo(
  context: CommandContext,
  workstation: Workstation,
  places: Places,
  path: string | undefined,
): Promise<DemoReport> {
  const { output, signal } = context
  let generated: { value: DemoStudy; seconds: number } | null = null
  if (path === undefined) {
    output.progress('Making a PET/CT study with a known lesion…')
    generated = await timed(() => generateDemoStudy(join(places.out, 'dicom'), { signal }))
  }
  const imported = await importAll(context, workstation, [
    path === undefined ? join(places.out, 'dicom') : resolve(path),
  ])
  const inferred = await timed(() =>
    inferEverything(
      workstation,
      imported.studies.map((study) => study.studyInstanceUID),
      {
        signal,
        ...(generated === null ? {} : { models: ['pet-lesion'] }),
        onProgress: (text) => output.progress(text),
      },
    ),
  )
  const files: { run: InferenceRun; files: RunFiles }[] = []
  for (const run of inferred.value.runs) {
    output.progress('Drawing…')
    files.push({ run, files: await writeRunFiles(workstation, run, places.out, generated?.value ?? null) })
  }
  const refusals: Refusal[] = inferred.value.refusals
  return {
    places,
    vault: workstation.vault.status().providerDetail,
    cipher: workstation.settings.get().cipher,
    generated: generated === null ? null : { study: generated.value, seconds: generated.seconds },
    imported,
    results: files,
    refusals,
  }
}

/** 0 when a model ran on something, 3 when something could not be taken or read, 1 when nothing came of it. */
function exitCodeOf({ results, imported }: DemoReport): ExitCode {
  if (results.length === 0) return imported.studies.length > 0 ? 3 : 1
  return imported.rejected.length > 0 ? 3 : 0
}

export const registerDemo: Register = (program, run) => {
  program
    .command('demo')
    .description('make a PET/CT study with a known lesion (or take PATH), find it, and show what was found')
    .argument('[path]', 'your own DICOM: file, folder or ZIP')
    .option('--out <dir>', 'where everything of the demonstration goes', 'alcove-demo')
    .action(
      run<{ out: string }>(async (context, [path], options) => {
        const places = placesOf(resolve(options.out), options)
        await mkdir(places.out, { recursive: true, mode: 0o700 })
        const { created } = await ensurePassphraseFile(places.passphraseFile)
        const workstation = await openWorkstation({
          dataDir: places.dataDir,
          passphrase: () => readPassphraseFile(places.passphraseFile),
          createIfMissing: true,
          logger: context.logger,
        })
        try {
          const outcome = await runDemo(context, workstation, places, path)
          const shown = (file: string): string => {
            const near = relative(process.cwd(), file)
            return near.startsWith('..') ? file : near || '.'
          }
          context.output.result(report.document(outcome), () => report.text(outcome, { created, shown }))
          return exitCodeOf(outcome)
        } finally {
          await workstation.close()
        }
      }),
    )
}
