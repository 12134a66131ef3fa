import type { SeriesSummary } from '#common/contract/studies.ts'
import type { PlanarMode } from '../../viewer/planar-view.ts'

export type PaneKind = PlanarMode | 'volume' | 'mip'

export interface PaneState {
  key: string
  kind: PaneKind
  seriesUid: string | null
  /** Series drawn in colour over the first; null for none. */
  fusedUid: string | null
}

export const LAYOUTS = ['stack', 'pair', 'quad', 'mpr', 'mpr3d', 'mip', 'volume', 'fusion'] as const
export type LayoutId = (typeof LAYOUTS)[number]

interface LayoutShape {
  title: string
  panes: PaneKind[]
  /** Needs a regular volume. */
  volume: boolean
}

export const LAYOUT_SHAPES: Record<LayoutId, LayoutShape> = {
  stack: { title: 'One stack', panes: ['stack'], volume: false },
  pair: { title: 'Two stacks side by side', panes: ['stack', 'stack'], volume: false },
  quad: { title: 'Four stacks', panes: ['stack', 'stack', 'stack', 'stack'], volume: false },
  mpr: { title: 'Three planes', panes: ['axial', 'sagittal', 'coronal'], volume: true },
  mpr3d: { title: 'Three planes and 3D', panes: ['axial', 'volume', 'coronal', 'sagittal'], volume: true },
  mip: { title: 'Maximum intensity projection', panes: ['mip'], volume: true },
  volume: { title: '3D rendering', panes: ['volume'], volume: true },
  fusion: { title: 'PET over CT', panes: ['axial', 'mip', 'coronal', 'sagittal'], volume: true },
}

export function isSolid(kind: PaneKind): kind is 'volume' | 'mip' {
  return kind === 'volume' || kind === 'mip'
}

/** Series a person would look at first: the one with most images among those that carry any. */
export function firstSeries(series: SeriesSummary[]): SeriesSummary | null {
  const shown = imageSeries(series)
  const rank = (entry: SeriesSummary): number => {
    const order = ['CT', 'MR', 'PT', 'DX', 'CR', 'MG', 'XA', 'US'].indexOf(entry.modality)
    return order < 0 ? 99 : order
  }
  return shown.toSorted((a, b) => rank(a) - rank(b) || b.frames - a.frames)[0] ?? null
}

/** Without segmentations, reports and structures, which are not pictures of their own. */
export function imageSeries(series: SeriesSummary[]): SeriesSummary[] {
  const apart = ['SEG', 'SR', 'RTSTRUCT', 'RTPLAN', 'RTDOSE', 'PR', 'KO', 'ECG', 'DOC']
  return series.filter((entry) => entry.frames > 0 && !apart.includes(entry.modality))
}

/** CT and PET of a study that can be laid over each other; the larger of several. */
export function fusionPair(series: SeriesSummary[]): { anatomy: SeriesSummary; function: SeriesSummary } | null {
  const largest = (modality: string[]): SeriesSummary | undefined =>
    imageSeries(series)
      .filter((entry) => modality.includes(entry.modality) && entry.frames > 2)
      .toSorted((a, b) => b.frames - a.frames)[0]
  const anatomy = largest(['CT']) ?? largest(['MR'])
  const pet = largest(['PT', 'NM'])
  return anatomy === undefined || pet === undefined ? null : { anatomy, function: pet }
}

let keys = 0

/** Panes of a layout, keeping the series that is being looked at. */
export function panesFor(layout: LayoutId, current: string | null, series: SeriesSummary[]): PaneState[] {
  const pair = layout === 'fusion' ? fusionPair(series) : null
  const others = imageSeries(series).map((entry) => entry.seriesInstanceUID)
  const ordered = current === null ? others : [current, ...others.filter((uid) => uid !== current)]
  return LAYOUT_SHAPES[layout].panes.map((kind, at) => {
    const key = `p${++keys}`
    if (pair !== null) {
      const solid = isSolid(kind)
      return {
        key,
        kind,
        seriesUid: solid ? pair.function.seriesInstanceUID : pair.anatomy.seriesInstanceUID,
        fusedUid: solid ? null : pair.function.seriesInstanceUID,
      }
    }
    const seriesUid = layout === 'pair' || layout === 'quad' ? (ordered[at] ?? null) : current
    return { key, kind, seriesUid, fusedUid: null }
  })
}
