import { resolve } from 'node:path'
import type { ImportResult } from '#common/contract/studies.ts'
import type { ImportSource } from '../studies/types.ts'
import type { Register } from './command.ts'
import { bytesText, count, table } from './format.ts'
import type { ExitCode } from './output.ts'

const SHOWN_REJECTIONS = 20

/** 0 all taken, 3 some rejected, 1 nothing taken. */
function exitCodeOf({ imported, duplicates, rejected }: ImportResult): ExitCode {
  if (rejected.length === 0) return imported + duplicates > 0 ? 0 : 1
  return imported + duplicates > 0 ? 3 : 1
}

function describe(result: ImportResult): string {
  const bytes = result.studies.reduce((sum, study) => sum + study.bytes, 0)
  const lines = [
    `Imported ${count(result.imported, 'object')} (${bytesText(bytes)}) into ${count(result.studies.length, 'study', 'studies')} in ${result.seconds.toFixed(1)} s` +
      (result.duplicates > 0 ? `; ${count(result.duplicates, 'duplicate')} skipped.` : '.'),
  ]
  for (const study of result.studies) lines.push(`  ${study.studyInstanceUID}  ${count(study.instances, 'object')}`)
  if (result.rejected.length > 0) {
    lines.push('', `${count(result.rejected.length, 'file')} rejected:`)
    const rows = result.rejected.slice(0, SHOWN_REJECTIONS).map(({ path, code, message }) => [path, code, message])
    lines.push(table(['file', 'code', 'why'], rows))
    if (result.rejected.length > SHOWN_REJECTIONS) lines.push('… all of them with --json.')
  }
  if (result.imported + result.duplicates + result.rejected.length === 0) lines.push('Nothing was found there.')
  return lines.join('\n')
}

export const registerImport: Register = (program, run) => {
  program
    .command('import')
    .description('take in files, folders, ZIPs and DICOMDIRs; every file is kept byte for byte, encrypted')
    .argument('<path...>')
    .action(
      run(async ({ open, output, signal }, paths) => {
        const workstation = await open({ create: true })
        const sources = paths.map((path): ImportSource => ({ kind: 'path', path: resolve(path) }))
        const result = await workstation.importer.import(sources, {
          signal,
          onProgress: ({ done, total, bytes }) =>
            output.progress(`${done}${total === null ? '' : ` of ${total}`} files, ${bytesText(bytes)}`),
        })
        output.result(result, () => describe(result))
        return exitCodeOf(result)
      }),
    )
}
