import { openSeries } from '../../viewer/open-series.ts'
import type { SeriesData } from '../../viewer/series-data.ts'
import { presetsOf } from '../../viewer/window-presets.ts'
import { useReading } from './store.ts'

/** Pixels of series not on screen are dropped, least recently shown first, beyond this many bytes. */
const KEEP_BYTES = 768 * 1024 * 1024

/** Volumes open in their middle, short series at their first image. */
export function openingFrame(data: SeriesData): number {
  const count = data.imageIds.length
  if (count > 8) return Math.floor(count / 2)
  return data.series.readBackwards ? count - 1 : 0
}

/** The series of one study that have been opened, each once. */
export class SeriesLibrary {
  readonly #studyUid: string
  readonly #signal: AbortSignal
  readonly #opened: (data: SeriesData) => void
  #opening = new Map<string, Promise<SeriesData>>()
  #ready = new Map<string, SeriesData>()

  constructor(studyUid: string, signal: AbortSignal, opened: (data: SeriesData) => void) {
    this.#studyUid = studyUid
    this.#signal = signal
    this.#opened = opened
  }

  /** Opens a series, or gives the one that is open. @throws AlcoveError as openSeries does */
  get(seriesUid: string): Promise<SeriesData> {
    const known = this.#opening.get(seriesUid)
    if (known !== undefined) {
      // To the end of the line of what is dropped first.
      this.#opening.delete(seriesUid)
      this.#opening.set(seriesUid, known)
      return known
    }
    const opening = this.#open(seriesUid)
    opening.catch(() => this.#opening.delete(seriesUid))
    this.#opening.set(seriesUid, opening)
    return opening
  }

  async #open(seriesUid: string): Promise<SeriesData> {
    const signal = this.#signal
    const address = { studyInstanceUID: this.#studyUid, seriesInstanceUID: seriesUid }
    const data = await openSeries(address, signal)
    if (signal.aborted) {
      data.dispose()
      throw new DOMException('The study has been closed.', 'AbortError')
    }
    this.#ready.set(seriesUid, data)
    // The first image to be shown starts on its way before any pane asks.
    if (useReading.getState().panes.length === 0) void data.image(openingFrame(data)).catch(() => undefined)
    data.onProgress((progress) =>
      useReading.setState((state) => ({ progress: { ...state.progress, [seriesUid]: progress } })),
    )
    const facts = {
      modality: data.series.modality,
      unit: data.series.unit,
      unitReason: data.series.unitReason,
      noVolume: data.verdict.ok ? null : data.verdict.reason,
      presets: presetsOf(data),
    }
    useReading.setState((state) => ({ facts: { ...state.facts, [seriesUid]: facts } }))
    this.#opened(data)
    return data
  }

  /** null until the headers have come. */
  known(seriesUid: string | null): SeriesData | null {
    return seriesUid === null ? null : (this.#ready.get(seriesUid) ?? null)
  }

  /** Gives back the memory of series nobody sees, when there is too much of it. */
  forgetUnseen(onScreen: ReadonlySet<string>): void {
    let bytes = 0
    for (const data of this.#ready.values()) bytes += data.heldBytes
    for (const uid of this.#opening.keys()) {
      if (bytes <= KEEP_BYTES) break
      const data = this.#ready.get(uid)
      if (data === undefined || onScreen.has(uid)) continue
      bytes -= data.heldBytes
      this.#opening.delete(uid)
      this.#ready.delete(uid)
      data.dispose()
    }
  }

  dispose(): void {
    for (const data of this.#ready.values()) data.dispose()
    this.#ready.clear()
    this.#opening.clear()
  }
}
