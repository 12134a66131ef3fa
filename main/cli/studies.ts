import type { StudySummary } from '#common/contract/studies.ts'
import { LIMITS } from '#common/limits.ts'
import type { Register } from './command.ts'
import { bytesText, count, dateText, table } from './format.ts'
import { usageError } from './output.ts'

function describe(studies: StudySummary[], total: number): string {
  if (studies.length === 0) return 'No studies.'
  const rows = studies.map((study) => [
    study.patientName?.replaceAll('^', ' ').trim() ?? '',
    study.patientId ?? '',
    dateText(study.studyDate),
    study.modalities.join(','),
    study.description ?? '',
    String(study.instances),
    bytesText(study.bytes),
    study.studyInstanceUID,
  ])
  const head = ['patient', 'id', 'date', 'modality', 'description', 'objects', 'size', 'study']
  const more = total > studies.length ? `\n${studies.length} of ${count(total, 'study', 'studies')}; see --limit.` : ''
  return table(head, rows, [5, 6]) + more
}

function parseMatches(pairs: string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1)
        throw usageError(`--query takes KEYWORD=VALUE, for example --query PatientName='SIM*'; got "${pair}".`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

export const registerStudies: Register = (program, run) => {
  program
    .command('studies')
    .description('list the studies that are here')
    .option(
      '--query <keyword=value>',
      'DICOM attribute and value, matched as QIDO-RS does; may be repeated',
      (pair: string, before: string[]) => [...before, pair],
      [] as string[],
    )
    .option('--search <text>', 'text in name, id, accession number or description')
    .option('--limit <n>', 'at most so many', '200')
    .action(
      run<{ query: string[]; search?: string; limit: string }>(async ({ open, output }, _, options) => {
        const limit = Number(options.limit)
        if (!Number.isInteger(limit) || limit < 1) throw usageError('--limit takes a whole number from 1.')
        const match = parseMatches(options.query)
        const workstation = await open()
        const found = workstation.studies.listStudies({
          match,
          ...(options.search === undefined ? {} : { search: options.search }),
          sort: 'receivedAt',
          descending: true,
          limit: Math.min(limit, LIMITS.qidoPageSize),
          offset: 0,
        })
        output.result(found, () => describe(found.studies, found.total))
      }),
    )
}
