import { writeFile } from 'node:fs/promises'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Finding, InferenceRun } from '#common/contract/inference.ts'
import { seriesInstanceUID, sopInstanceUID, studyInstanceUID } from '#common/ids.ts'
import type { DemoStudy } from '../../demo/generate.ts'
import type { Volume } from '../../dicom/volume/types.ts'
import type { Workstation } from '../../workstation.ts'
import { renderStoredFrame } from '../../workstation-render.ts'
import { seriesVolume } from '../../workstation-volume.ts'
import { labelsOf } from './labels.ts'
import { dice, gridOf, middleOf } from './measure.ts'
import { drawPlane, type PictureVolume, PLANES } from './pictures.ts'

export interface RunFiles {
  segmentation: string | null
  pictures: string[]
  /** Overlap with the truth of the generated study; null for a person's own data. */
  dice: number | null
}

/** The finding with the highest measured value (the hottest lesion), then the largest: what the pictures show. */
function mainFinding(run: InferenceRun): Finding | null {
  const positive = run.findings.filter((finding) => finding.positive && finding.centreLps !== null)
  const height = (finding: Finding): number => finding.measurements?.max ?? 0
  const size = (finding: Finding): number => finding.volumeMl ?? 0
  return positive.toSorted((left, right) => height(right) - height(left) || size(right) - size(left))[0] ?? null
}

/** A CT in the same frame of reference, to lie below a PET; null when there is none that makes a volume. */
async function matchingCt(workstation: Workstation, run: InferenceRun, source: Volume): Promise<PictureVolume | null> {
  const study = studyInstanceUID(run.studyInstanceUID)
  const series = workstation.studies.study(study)?.seriesList ?? []
  for (const candidate of series.filter(({ modality, instances }) => modality === 'CT' && instances > 1)) {
    const volume = await seriesVolume(workstation.studies, study, seriesInstanceUID(candidate.seriesInstanceUID)).catch(
      () => null,
    )
    const same = volume !== null && volume.frameOfReferenceUID === source.frameOfReferenceUID
    if (same) return { grid: gridOf(volume), data: volume.data }
  }
  return null
}

function titleOf(run: InferenceRun, finding: Finding | null): string {
  const model = `${run.provenance.modelId} ${run.provenance.modelVersion}`
  if (finding === null) return `${model} - no finding`
  const volume = finding.volumeMl === null ? '' : ` ${finding.volumeMl.toFixed(1)} ML`
  const max = finding.measurements === null ? '' : `, MAX ${finding.measurements.max.toFixed(1)}`
  return `${model} - ${finding.label}${volume}${max}, ${Math.round(finding.confidence * 100)}%`
}

async function drawPlanes(
  workstation: Workstation,
  run: InferenceRun,
  base: string,
  generated: DemoStudy | null,
): Promise<{ pictures: string[]; dice: number | null }> {
  const study = studyInstanceUID(run.studyInstanceUID)
  const volume = await seriesVolume(workstation.studies, study, seriesInstanceUID(run.seriesInstanceUID))
  const labels =
    run.segmentation === null
      ? null
      : await labelsOf(workstation.studies, study, sopInstanceUID(run.segmentation.sopInstanceUID), volume)
  const finding = mainFinding(run)
  const grid = gridOf(volume)
  const unit = volume.unit === 'SUVbw' || volume.unit === 'HU' ? volume.unit : 'stored'
  const ct = unit === 'SUVbw' ? await matchingCt(workstation, run, volume) : null
  const pictures: string[] = []
  for (const plane of PLANES) {
    const file = `${base}-${plane}.png`
    const png = await drawPlane(plane, {
      source: { grid, data: volume.data, unit },
      ct,
      labels,
      centreLps: finding?.centreLps ?? middleOf(grid),
      title: titleOf(run, finding),
    })
    await writeFile(file, png)
    pictures.push(file)
  }
  const truth = generated?.truth.maskOnPetGrid
  const overlap =
    truth === undefined || truth.length !== volume.data.length
      ? null
      : dice(labels ?? new Uint8Array(truth.length), truth)
  return { pictures, dice: overlap }
}

/** A classified image as it is shown, once. */
async function drawImage(workstation: Workstation, run: InferenceRun, base: string): Promise<string[]> {
  const sop = run.findings.find((finding) => finding.sopInstanceUID !== null)?.sopInstanceUID
  if (sop === undefined || sop === null) return []
  const record = workstation.studies.instance(studyInstanceUID(run.studyInstanceUID), sopInstanceUID(sop))
  if (record === null) return []
  const file = `${base}.png`
  await writeFile(file, await renderStoredFrame(workstation.studies, record, 1, { format: 'png' }))
  return [file]
}

/**
 * Segmentation (.dcm) and pictures of a run, named by model and, when there are several, study: never by the patient.
 */
export async function writeRunFiles(
  workstation: Workstation,
  run: InferenceRun,
  out: string,
  generated: DemoStudy | null,
): Promise<RunFiles> {
  const suffix = generated === null ? `-${run.studyInstanceUID.slice(-12)}` : ''
  const base = join(out, `${run.provenance.modelId}${suffix}`)
  let segmentation: string | null = null
  if (run.segmentation !== null) {
    segmentation = `${base}.seg.dcm`
    const file = workstation.studies.file(
      studyInstanceUID(run.studyInstanceUID),
      sopInstanceUID(run.segmentation.sopInstanceUID),
    )
    await pipeline(Readable.from(file), createWriteStream(segmentation))
  }
  const regions = run.segmentation !== null || run.findings.every((finding) => finding.kind === 'region')
  const drawn = regions
    ? await drawPlanes(workstation, run, base, generated)
    : { pictures: await drawImage(workstation, run, base), dice: null }
  return { segmentation, ...drawn }
}
