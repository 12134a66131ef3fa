import { type Finding, type InferenceRun, PROVIDERS } from '#common/contract/inference.ts'
import { isUid } from '#common/ids.ts'
import type { Register } from './command.ts'
import { findStudy, modelArgument } from './arguments.ts'
import { table } from './format.ts'
import { usageError } from './output.ts'

/** Columns of a findings table, shared with the demo. */
export function findingRow(finding: Finding): string[] {
  const { measurements } = finding
  const verdict = finding.positive ? 'above the operating point' : 'below the operating point'
  return [
    finding.kind === 'classification' ? `${finding.label}: ${verdict}` : finding.label,
    finding.where ?? '',
    finding.volumeMl === null ? '' : `${finding.volumeMl.toFixed(1)} ml`,
    finding.longestAxialDiameterMm === null ? '' : `${finding.longestAxialDiameterMm.toFixed(0)} mm`,
    measurements === null ? '' : `${measurements.max.toFixed(1)} ${measurements.unit}`,
    `${Math.round(finding.confidence * 100)} %`,
  ]
}

const FINDING_HEAD = ['what', 'where', 'volume', 'longest', 'max', 'confidence']
const FIRST_NUMBER = 2

/** Rows of findingRow as a table; columns that say nothing are left out. */
export function findingsTable(rows: string[][]): string {
  const kept = FINDING_HEAD.flatMap((_, column) => (rows.some((row) => row[column] !== '') ? [column] : []))
  const right = kept.flatMap((column, at) => (column >= FIRST_NUMBER ? [at] : []))
  return table(
    kept.map((column) => FINDING_HEAD[column]!),
    rows.map((row) => kept.map((column) => row[column] ?? '')),
    right,
  )
}

export function timingsText(run: InferenceRun): string {
  return run.timings.map(({ step, ms }) => `${step} ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`).join(' · ')
}

function describe(run: InferenceRun): string {
  const { provenance } = run
  const positive = run.findings.filter((finding) => finding.positive)
  const listed = run.findings.length > positive.length && positive.length === 0 ? run.findings : positive
  const lines = [
    positive.length === 0 ? 'No findings above the operating point.' : '',
    listed.length === 0 ? '' : findingsTable(listed.map(findingRow)),
    '',
    `${provenance.modelId} ${provenance.modelVersion} on ${provenance.provider} (${provenance.runtime})`,
    timingsText(run),
    ...run.warnings.map((warning) => `Note: ${warning}`),
    ...(run.segmentation === null ? [] : [`Segmentation stored as ${run.segmentation.sopInstanceUID}`]),
    'Research use only. Not for clinical decisions.',
  ]
  return lines.filter((line, index) => line !== '' || index > 1).join('\n')
}

export const registerInfer: Register = (program, run) => {
  program
    .command('infer')
    .description('run a model over a study; findings and segmentation are stored with it')
    .argument('<study>')
    .requiredOption('--model <id[@version]>', 'installed model, see "alcove models list"')
    .option('--provider <provider>', `one of ${PROVIDERS.join(', ')}; otherwise the first that works`)
    .option('--series <uid>', 'series to run on; otherwise the model chooses')
    .action(
      run<{ model: string; provider?: string; series?: string }>(async ({ open, output, signal }, [uid], options) => {
        const model = modelArgument(options.model)
        const provider = PROVIDERS.find((name) => name === options.provider)
        if (options.provider !== undefined && provider === undefined) {
          throw usageError(`--provider is one of ${PROVIDERS.join(', ')}.`)
        }
        if (options.series !== undefined && !isUid(options.series))
          throw usageError('--series takes a Series Instance UID.')
        const workstation = await open()
        const study = findStudy(workstation, uid!)
        const result = await workstation.inference.run(
          {
            studyInstanceUID: study.studyInstanceUID,
            seriesInstanceUID: options.series ?? null,
            model: model.id,
            version: model.version,
            provider: provider ?? null,
          },
          {
            signal,
            onProgress: ({ done, total, note }) =>
              output.progress(`${note}${total === null ? '' : ` ${Math.round((100 * done) / total)} %`}`),
          },
        )
        output.result(result, () => describe(result))
      }),
    )
}
