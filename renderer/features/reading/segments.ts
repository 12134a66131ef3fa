import { decodeMasks } from '#common/contract/masks.ts'
import type { InferenceRun } from '#common/contract/inference.ts'
import type { SegmentationSummary } from '#common/contract/segmentations.ts'
import { api } from '../../app/api.ts'
import { type LabelVolume, labelVolume } from '../../viewer/label-volume.ts'
import type { LabelLayer } from '../../viewer/overlay-layer.ts'
import type { SeriesData } from '../../viewer/series-data.ts'
import type { SolidView } from '../../viewer/solid-view.ts'
import { useReading } from './store.ts'

const NONE: ReadonlySet<number> = new Set()

export interface SegmentsOwner {
  changed: () => void
  /** Asks for the headers of a series that a segmentation lies on. */
  wanted: (seriesUid: string) => void
}

/** The segmentations of a study, brought onto the grids of the series that are open. */
export class Segments {
  readonly #studyUid: string
  readonly #signal: AbortSignal
  readonly #owner: SegmentsOwner
  #list: SegmentationSummary[] = []
  #hiddenSops = new Set<string>()
  #volumes = new Map<string, LabelVolume>()
  #wanted = new Set<string>()
  #open = new Map<string, SeriesData>()

  constructor(studyUid: string, signal: AbortSignal, owner: SegmentsOwner) {
    this.#studyUid = studyUid
    this.#signal = signal
    this.#owner = owner
  }

  /** Reads what segmentations there are; of several runs of one model only the newest is drawn. */
  async refresh(runs: InferenceRun[]): Promise<void> {
    const answer = await api.listSegmentations({ params: { study: this.#studyUid }, signal: this.#signal })
    this.#list = answer.segmentations
    const newest = new Set<string>()
    this.#hiddenSops.clear()
    for (const run of runs) {
      if (run.segmentation === null) continue
      const key = `${run.provenance.modelId} ${run.seriesInstanceUID}`
      if (newest.has(key)) this.#hiddenSops.add(run.segmentation.sopInstanceUID)
      newest.add(key)
    }
    for (const data of this.#open.values()) this.seriesOpened(data)
    for (const entry of this.#list)
      if (entry.referencedSeriesInstanceUID !== null && !this.#open.has(entry.referencedSeriesInstanceUID))
        this.#owner.wanted(entry.referencedSeriesInstanceUID)
    this.#owner.changed()
  }

  seriesOpened(data: SeriesData): void {
    const uid = data.address.seriesInstanceUID
    this.#open.set(uid, data)
    for (const entry of this.#list) {
      if (entry.referencedSeriesInstanceUID !== uid || this.#wanted.has(entry.sopInstanceUID)) continue
      if (this.#hiddenSops.has(entry.sopInstanceUID)) continue
      this.#wanted.add(entry.sopInstanceUID)
      void this.#load(entry, data)
    }
  }

  async #load(entry: SegmentationSummary, data: SeriesData): Promise<void> {
    try {
      if (!data.verdict.ok) return
      const bytes = await api.segmentationMasks({
        params: { study: this.#studyUid, sop: entry.sopInstanceUID },
        signal: this.#signal,
      })
      const document = decodeMasks(bytes, (part) => new TextDecoder().decode(part))
      const volume = labelVolume(entry.sopInstanceUID, document, data.series.frames, data.verdict.geometry)
      if (volume === null) return
      this.#volumes.set(entry.sopInstanceUID, volume)
      this.#owner.changed()
    } catch {
      // The findings list still tells what was found; the drawing can be asked for again.
      this.#wanted.delete(entry.sopInstanceUID)
    }
  }

  /** Everything that is to be drawn, on whatever series shares its patient coordinates. */
  visible(frameOfReferenceUID: string | null): LabelVolume[] {
    return this.#list.flatMap((entry) => {
      const volume = this.#volumes.get(entry.sopInstanceUID)
      if (volume === undefined || this.#hiddenSops.has(entry.sopInstanceUID)) return []
      const on = this.#open.get(entry.referencedSeriesInstanceUID ?? '')
      return on?.series.frames[0]?.frameOfReferenceUID === frameOfReferenceUID ? [volume] : []
    })
  }

  /** `fill` thins the filling; outlines stay. */
  layers(data: SeriesData, fill = 1): LabelLayer[] {
    const { overlay, runs, selectedFinding } = useReading.getState()
    if (!overlay.visible) return []
    return this.visible(data.series.frames[0]?.frameOfReferenceUID ?? null).map((volume) => {
      const run = runs.find((entry) => entry.segmentation?.sopInstanceUID === volume.sopInstanceUID)
      const finding = run?.findings.find((entry) => entry.id === selectedFinding?.findingId)
      const rejected = run?.findings.filter((entry) => entry.review === 'rejected' && entry.segmentNumber !== null)
      return {
        volume,
        opacity: overlay.opacity * fill,
        selected: finding?.segmentNumber ?? null,
        hidden: rejected === undefined ? NONE : new Set(rejected.map((entry) => entry.segmentNumber!)),
      }
    })
  }

  surfaces(view: SolidView, data: SeriesData): void {
    const layers = this.layers(data)
    const hidden = new Set(layers.flatMap((layer) => [...layer.hidden]))
    view.setSurfaces(
      layers.map((layer) => layer.volume),
      hidden,
      0.9,
    )
  }
}
