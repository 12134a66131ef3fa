import type { InferenceRun } from '#common/contract/inference.ts'
import type { ImportResult } from '#common/contract/studies.ts'
import type { DemoStudy } from '../../demo/generate.ts'
import { bytesText, count } from '../format.ts'
import { findingRow, findingsTable, timingsText } from '../infer.ts'
import type { Refusal } from './infer.ts'
import type { RunFiles } from './run-files.ts'

export interface DemoReport {
  places: { out: string; dataDir: string; passphraseFile: string }
  vault: string
  cipher: string
  generated: { study: DemoStudy; seconds: number } | null
  imported: ImportResult
  results: { run: InferenceRun; files: RunFiles }[]
  refusals: Refusal[]
}

interface Presentation {
  /** The passphrase file was made by this run. */
  created: boolean
  /** A path as the person sees it from where they stand. */
  shown: (path: string) => string
}

const RULE = '─'.repeat(78)

function heading(title: string): string {
  return `\n${title}\n${RULE.slice(0, title.length)}`
}

function stepLines({ generated, imported, cipher, vault }: DemoReport): string[] {
  const bytes = imported.studies.reduce((sum, study) => sum + study.bytes, 0)
  const lines: string[] = []
  if (generated !== null) {
    const { study, seconds } = generated
    lines.push(
      `Study      an invented PET/CT torso, ${count(study.files.length, 'image')}, made in ${seconds.toFixed(1)} s`,
    )
  }
  const duplicates = imported.duplicates > 0 ? `, ${imported.duplicates} here already` : ''
  lines.push(
    `Import     ${count(imported.imported, 'object')}${duplicates}, ${bytesText(bytes)} in ${imported.seconds.toFixed(1)} s` +
      (imported.rejected.length > 0 ? `; ${count(imported.rejected.length, 'file')} rejected` : ''),
    `Storage    encrypted (${cipher}, a key of its own per study); identity kept by ${vault}`,
  )
  return lines
}

function truthRow(generated: NonNullable<DemoReport['generated']>, dice: number | null): string[] {
  const { truth } = generated.study
  const diameter = 2 * Math.max(truth.radiiMm[0], truth.radiiMm[1])
  const place = truth.centreLps.map((value) => value.toFixed(0)).join(', ')
  return [
    'truth',
    `centre at LPS ${place} mm`,
    `${truth.volumeMl.toFixed(1)} ml`,
    `${diameter.toFixed(0)} mm`,
    `${truth.suv.toFixed(1)} SUVbw`,
    dice === null ? '' : `Dice ${dice.toFixed(3)}`,
  ]
}

function runLines(
  outcome: DemoReport,
  { run, files }: DemoReport['results'][number],
  shown: Presentation['shown'],
): string[] {
  const { provenance } = run
  const rows = run.findings.filter((finding) => finding.positive || finding.kind === 'classification').map(findingRow)
  if (outcome.generated !== null) rows.push(truthRow(outcome.generated, files.dice))
  const found = rows.length > 0 ? [findingsTable(rows)] : ['Nothing above the operating point.']
  const study = outcome.generated === null ? ` on study ${run.studyInstanceUID}` : ''
  return [
    heading(`Findings of ${provenance.modelId} ${provenance.modelVersion}${study}`),
    ...found,
    '',
    `Computed by ${provenance.provider} (${provenance.runtime}), golden case reproduced.`,
    ...provenance.providerNotes.map((note) => `  ${note}`),
    `Steps: ${timingsText(run)}`,
    ...run.warnings.map((warning) => `Note: ${warning}`),
    heading('Files'),
    ...(files.segmentation === null ? [] : [`${shown(files.segmentation)}   DICOM SEG, also stored with the study`]),
    ...files.pictures.map((picture) => shown(picture)),
  ]
}

function refusalLines(outcome: DemoReport): string[] {
  const served = new Set(outcome.results.map(({ run }) => run.studyInstanceUID))
  const lines = outcome.imported.studies
    .filter(({ studyInstanceUID }) => !served.has(studyInstanceUID))
    .flatMap(({ studyInstanceUID }) => [
      `No model applies to study ${studyInstanceUID}:`,
      ...outcome.refusals
        .filter((refusal) => refusal.studyInstanceUID === studyInstanceUID)
        .map(({ model, message }) => `  ${model}: ${message}`),
    ])
  return lines.length === 0 ? [] : ['', ...lines]
}

function text(outcome: DemoReport, { created, shown }: Presentation): string {
  const { places } = outcome
  const rejected = outcome.imported.rejected.slice(0, 10)
  const passphrase = `${shown(places.passphraseFile)}   passphrase of the data folder${created ? ', made now' : ''}: whoever reads it can read the studies`
  return [
    'Alcove demonstration. Research software, not for clinical use.',
    RULE,
    ...stepLines(outcome),
    ...rejected.map(({ path, message }) => `  rejected ${shown(path)}: ${message}`),
    ...outcome.results.flatMap((result) => runLines(outcome, result, shown)),
    ...refusalLines(outcome),
    ...(outcome.results.length === 0 ? [heading('Files')] : []),
    ...(outcome.generated === null ? [] : [`${shown(`${places.out}/dicom`)}   the study as DICOM files`]),
    `${shown(places.dataDir)}   the encrypted data folder`,
    passphrase,
    heading('Open it'),
    `npm start -- --data-dir ${shown(places.dataDir)} --passphrase-file ${shown(places.passphraseFile)}`,
  ].join('\n')
}

function document(outcome: DemoReport): unknown {
  const { places, generated, imported, results, refusals } = outcome
  return {
    ...places,
    generated:
      generated === null
        ? null
        : {
            studyInstanceUID: generated.study.studyInstanceUID,
            seconds: generated.seconds,
            truth: {
              volumeMl: generated.study.truth.volumeMl,
              centreLps: generated.study.truth.centreLps,
              radiiMm: generated.study.truth.radiiMm,
            },
          },
    import: imported,
    runs: results.map(({ run, files }) => ({ run, ...files })),
    refusals,
  }
}

export const report = { text, document }
