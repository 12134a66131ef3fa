import { encodeMaskHead, packMask } from '#common/contract/masks.ts'
import type { MaskHead, SegmentationSummary } from '#common/contract/segmentations.ts'
import { type DicomJsonDataset, items, text } from '#common/dicom/json.ts'
import { SEGMENTATION_CLASSES } from '#common/dicom/sop-class.ts'
import { TRANSFER_SYNTAXES } from '#common/dicom/transfer-syntax.ts'
import { AlcoveError } from '#common/errors.ts'
import { seriesInstanceUID, sopInstanceUID, type StudyInstanceUID } from '#common/ids.ts'
import { LIMITS } from '#common/limits.ts'
import { streamOf } from '#node/http/body.ts'
import { pixelFormat } from '../../dicom/codecs/pixel-format.ts'
import {
  readSegmentation,
  type Segment,
  type Segmentation,
  type SegmentationFrame,
  segmentMask,
  sliceUnder,
  type TargetSlice,
} from '../../dicom/read/index.ts'
import { framePlane } from '../../dicom/write/index.ts'
import type { InstanceRecord, ReadableStudies } from '../../studies/types.ts'
import type { Workstation } from '../../workstation.ts'
import { decodeAside } from '../../workstation-pixels.ts'
import type { Handlers } from './handler.ts'
import { requireStudy } from './studies.ts'

/** Colours of segments that bring none, told apart on grey images. */
const FALLBACK_COLOURS: readonly [number, number, number][] = [
  [255, 99, 71],
  [64, 196, 255],
  [255, 202, 40],
  [129, 199, 132],
  [186, 104, 200],
  [255, 138, 101],
]

function segmentSummary(segment: Segment, index: number): MaskHead['segments'][number] {
  return {
    number: segment.number,
    label: segment.label,
    colorRgb: segment.colorRgb ?? FALLBACK_COLOURS[index % FALLBACK_COLOURS.length]!,
    algorithm: segment.algorithmName,
  }
}

function referencedSeries(dataset: DicomJsonDataset): string | null {
  const [series] = items(dataset, '00081115')
  return series === undefined ? null : text(series, '0020000E')
}

function summarise(dataset: DicomJsonDataset): SegmentationSummary {
  const segmentation = readSegmentation(dataset)
  return {
    seriesInstanceUID: segmentation.seriesInstanceUID,
    sopInstanceUID: segmentation.sopInstanceUID,
    label: text(dataset, '0008103E') ?? text(dataset, '00700080') ?? 'Segmentation',
    referencedSeriesInstanceUID: referencedSeries(dataset),
    segments: segmentation.segments.map(segmentSummary),
  }
}

function segmentationRecords(studies: ReadableStudies, study: StudyInstanceUID): InstanceRecord[] {
  return studies.instances(study).filter((record) => SEGMENTATION_CLASSES.has(record.sopClassUID))
}

async function datasetOf(studies: ReadableStudies, record: InstanceRecord): Promise<DicomJsonDataset> {
  const [dataset] = await studies.metadata(record.studyInstanceUID, { sopInstanceUID: record.sopInstanceUID })
  if (dataset === undefined) throw new AlcoveError('not-found', 'There is no such segmentation in this study.')
  return dataset
}

/** Every image plane of the series a segmentation lies on; empty when that series is not here. */
async function targetSlices(
  studies: ReadableStudies,
  study: StudyInstanceUID,
  series: string | null,
): Promise<TargetSlice[]> {
  if (series === null) return []
  const uid = seriesInstanceUID(series)
  if (studies.instances(study, uid).length === 0) return []
  const datasets = await studies.metadata(study, { seriesInstanceUID: uid })
  return datasets.flatMap((dataset) => {
    const sop = text(dataset, '00080018') ?? ''
    const frames = Math.min(Number(dataset['00280008']?.Value?.[0] ?? 1), LIMITS.dicomFramesPerInstance)
    const multiFrame = dataset['52009230'] !== undefined || frames > 1
    return Array.from({ length: frames }, (_, index) => ({
      sopInstanceUID: sop,
      frame: multiFrame ? index + 1 : null,
      plane: framePlane(dataset, index + 1),
    }))
  })
}

interface Mask {
  entry: MaskHead['frames'][number]
  bits: Uint8Array
}

/** Reads one frame's pixels, one byte or packed bits a pixel, as `segmentMask` takes them. */
function frameReader(
  studies: ReadableStudies,
  record: InstanceRecord,
  dataset: DicomJsonDataset,
): (frame: number) => Promise<Uint8Array> {
  const codec = TRANSFER_SYNTAXES.get(record.transferSyntaxUID)?.codec
  const format = pixelFormat(dataset, record.transferSyntaxUID)
  return async (frame) => {
    const { bytes } = await studies.frame(record.studyInstanceUID, record.sopInstanceUID, frame)
    if (codec === 'none') return bytes
    const { pixels } = await decodeAside(bytes, format)
    return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength)
  }
}

function placeOf(frame: SegmentationFrame, slices: readonly TargetSlice[]): Omit<Mask['entry'], 'segment'> {
  const at = sliceUnder(frame, slices)
  const slice = at === null ? null : slices[at]!
  return {
    sopInstanceUID: slice?.sopInstanceUID ?? frame.source?.sopInstanceUID ?? null,
    frame: slice === null ? (frame.source?.frame ?? null) : slice.frame,
    positionLps: frame.plane === null ? null : [...frame.plane.positionLps],
  }
}

async function* masksOf(
  segmentation: Segmentation,
  slices: readonly TargetSlice[],
  read: (frame: number) => Promise<Uint8Array>,
): AsyncGenerator<Mask> {
  for (const frame of segmentation.frames) {
    const bytes = await read(frame.frame)
    const place = placeOf(frame, slices)
    for (const { number } of segmentation.segments) {
      if (frame.segment !== null && frame.segment !== number) continue
      const mask = segmentMask(segmentation, frame, bytes, number)
      if (mask.includes(1)) yield { entry: { segment: number, ...place }, bits: packMask(mask) }
    }
  }
}

async function masks(workstation: Workstation, study: StudyInstanceUID, sop: string): Promise<Response> {
  const { studies } = workstation
  const record = studies.instance(study, sopInstanceUID(sop))
  if (record === null || !SEGMENTATION_CLASSES.has(record.sopClassUID)) {
    throw new AlcoveError('not-found', 'There is no such segmentation in this study.')
  }
  const dataset = await datasetOf(studies, record)
  const segmentation = readSegmentation(dataset)
  const slices = await targetSlices(studies, study, referencedSeries(dataset))
  const found: Mask[] = []
  let bytes = 0
  for await (const mask of masksOf(segmentation, slices, frameReader(studies, record, dataset))) {
    bytes += mask.bits.length
    // The head, which comes first, lists all frames: so all of them are held. Bits, and empty frames left out.
    if (bytes > LIMITS.maskDocumentBytes)
      throw new AlcoveError('dicom/too-large', 'The segmentation is too large to show.')
    found.push(mask)
  }
  const head: MaskHead = {
    rows: segmentation.rows,
    columns: segmentation.columns,
    segments: segmentation.segments.map(segmentSummary),
    frames: found.map((mask) => mask.entry),
  }
  async function* document(): AsyncGenerator<Uint8Array> {
    yield encodeMaskHead(head, (json) => new TextEncoder().encode(json))
    for (const { bits } of found) yield bits
  }
  return new Response(streamOf(document()), { headers: { 'Content-Type': 'application/vnd.alcove.masks' } })
}

export const segmentationHandlers: Pick<Handlers, 'listSegmentations' | 'segmentationMasks'> = {
  async listSegmentations({ params }, { workstation }) {
    const { uid } = requireStudy(workstation, params.study)
    const records = segmentationRecords(workstation.studies, uid)
    const segmentations = await Promise.all(
      records.map(async (record) => summarise(await datasetOf(workstation.studies, record))),
    )
    return { segmentations }
  },
  segmentationMasks({ params }, { workstation }) {
    const { uid } = requireStudy(workstation, params.study)
    return masks(workstation, uid, params.sop)
  },
}
