import type { VoiRange } from '../../viewer/planar-view.ts'
import type { SeriesData } from '../../viewer/series-data.ts'
import { initiallyInverted, initialVoi, projectionVoi } from '../../viewer/window-presets.ts'
import type { PaneKind } from './layouts.ts'

export interface SeriesWindow {
  voi: VoiRange
  inverted: boolean
}

const UNKNOWN: SeriesWindow = { voi: { lower: 0, upper: 1 }, inverted: false }

/** One window per series, shared by all its flat views; projections have one of their own. */
export class SeriesWindows {
  #windows = new Map<string, SeriesWindow>()
  #projections = new Map<string, VoiRange>()

  get(seriesUid: string | null): SeriesWindow {
    return (seriesUid === null ? undefined : this.#windows.get(seriesUid)) ?? UNKNOWN
  }

  set(seriesUid: string, shown: SeriesWindow): void {
    this.#windows.set(seriesUid, shown)
  }

  setProjection(seriesUid: string, voi: VoiRange): void {
    this.#projections.set(seriesUid, voi)
  }

  /** Chooses a window from the first image that has come; a window that is there stays. */
  begin(data: SeriesData, image: { color: boolean; minPixelValue: number; maxPixelValue: number }): void {
    const uid = data.address.seriesInstanceUID
    if (this.#windows.has(uid)) return
    const voi = image.color
      ? { lower: 0, upper: 255 }
      : initialVoi(data, { min: image.minPixelValue, max: image.maxPixelValue })
    this.#windows.set(uid, { voi, inverted: !image.color && initiallyInverted(data) })
  }

  solid(data: SeriesData, kind: PaneKind): VoiRange {
    const uid = data.address.seriesInstanceUID
    const own = this.get(uid).voi
    return kind === 'mip' ? (this.#projections.get(uid) ?? projectionVoi(data, own)) : own
  }
}
