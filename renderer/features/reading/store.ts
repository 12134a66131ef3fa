import { create } from 'zustand'
import type { InferenceRun } from '#common/contract/inference.ts'
import type { StudyDetail } from '#common/contract/studies.ts'
import type { LoadProgress } from '../../viewer/series-data.ts'
import type { PlanarSnapshot } from '../../viewer/planar-view.ts'
import type { PrimaryTool } from '../../viewer/tools.ts'
import type { WindowPreset } from '../../viewer/window-presets.ts'
import type { LayoutId, PaneState } from './layouts.ts'

export interface Trouble {
  code: string
  message: string
}

/** What is known of a series once its headers have been read. */
interface SeriesFacts {
  modality: string
  unit: string
  unitReason: string
  /** null when planes and 3D are possible. */
  noVolume: string | null
  presets: WindowPreset[]
}

export interface ReadingState {
  study: StudyDetail | null
  trouble: Trouble | null
  layout: LayoutId
  panes: PaneState[]
  active: string | null
  snapshots: Record<string, PlanarSnapshot | null>
  paneTroubles: Record<string, Trouble | null>
  facts: Record<string, SeriesFacts>
  progress: Record<string, LoadProgress>
  tool: PrimaryTool
  cine: boolean
  solidPreset: string | null
  overlay: { visible: boolean; opacity: number; fusion: number }
  runs: InferenceRun[]
  selectedFinding: { runId: string; findingId: string } | null
  /** Milliseconds from opening the study to the first image on screen; null until then. */
  firstImageMs: number | null
  planar: 'cpu' | 'gpu' | null
}

export const initialReading: ReadingState = {
  study: null,
  trouble: null,
  layout: 'stack',
  panes: [],
  active: null,
  snapshots: {},
  paneTroubles: {},
  facts: {},
  progress: {},
  tool: 'window',
  cine: false,
  solidPreset: null,
  overlay: { visible: true, opacity: 0.25, fusion: 0.6 },
  runs: [],
  selectedFinding: null,
  firstImageMs: null,
  planar: null,
}

export const useReading = create<ReadingState>()(() => initialReading)

export function activePane(state: ReadingState): PaneState | null {
  return state.panes.find((pane) => pane.key === state.active) ?? state.panes[0] ?? null
}
