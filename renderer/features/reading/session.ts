import type { Finding, InferenceRun } from '#common/contract/inference.ts'
import { toAlcoveError } from '#common/errors.ts'
import { api } from '../../app/api.ts'
import { startEngine } from '../../viewer/engine.ts'
import type { PlanarMode, PlanarView, VoiRange } from '../../viewer/planar-view.ts'
import type { SeriesData } from '../../viewer/series-data.ts'
import { MIP_PRESET, presetsFor, type SolidPreset } from '../../viewer/solid-presets.ts'
import type { SolidView } from '../../viewer/solid-view.ts'
import { clearMeasurements, type PrimaryTool, setPrimaryTool } from '../../viewer/tools.ts'
import { dot, scale, add, sub, type Vec3 } from '../../viewer/vector.ts'
import { centreOf } from '../../viewer/volume-geometry.ts'
import { firstSeries, isSolid, type LayoutId, LAYOUT_SHAPES, panesFor, type PaneState } from './layouts.ts'
import { Segments } from './segments.ts'
import { openingFrame, SeriesLibrary } from './series-library.ts'
import { type SeriesWindow, SeriesWindows } from './series-windows.ts'
import { activePane, initialReading, type Trouble, useReading } from './store.ts'

interface MountedPane {
  pane: PaneState
  planar: PlanarView | null
  solid: SolidView | null
  redraw: () => void
}

function troubleOf(error: unknown): Trouble {
  const known = toAlcoveError(error)
  return { code: known.code, message: known.message }
}

/**
 * One study being read: its pixels, the views on them and what binds the views together (window, focus, segments).
 * React mounts panes into it and shows what it writes into the store.
 */
export class ReadingSession {
  readonly studyUid: string
  readonly segments: Segments
  readonly #library: SeriesLibrary
  readonly #windows = new SeriesWindows()
  #panes = new Map<string, MountedPane>()
  #abort = new AbortController()
  #opened = performance.now()
  #cine: number | undefined
  focus: Vec3 | null = null
  /** Where the next stack to be shown is to open. */
  #jump: Vec3 | null = null

  constructor(studyUid: string) {
    this.studyUid = studyUid
    this.segments = new Segments(studyUid, this.#abort.signal, {
      changed: () => this.redrawAll(),
      // Headers only: the grid that masks lie on, so that they can be drawn over the other series too.
      wanted: (seriesUid) => void this.data(seriesUid).catch(() => undefined),
    })
    this.#library = new SeriesLibrary(studyUid, this.#abort.signal, (data) => this.segments.seriesOpened(data))
  }

  get closed(): boolean {
    return this.#abort.signal.aborted
  }

  async open(): Promise<void> {
    useReading.setState(initialReading)
    try {
      const signal = this.#abort.signal
      const engine = api
        .getSettings({ signal })
        .catch(() => null)
        .then((settings) => startEngine(settings?.renderBackend ?? 'auto'))
      const study = await api.getStudy({ params: { study: this.studyUid }, signal })
      const first = firstSeries(study.seriesList)
      if (this.closed) return
      // The headers travel while the graphics start.
      if (first !== null) void this.data(first.seriesInstanceUID).catch(() => undefined)
      const graphics = await engine
      if (this.closed) return
      setPrimaryTool('window')
      const panes = panesFor('stack', first?.seriesInstanceUID ?? null, study.seriesList)
      useReading.setState({ study, panes, active: panes[0]?.key ?? null, planar: graphics.planar })
      await this.refreshRuns()
    } catch (error) {
      if (!this.closed) useReading.setState({ trouble: troubleOf(error) })
    }
  }

  async refreshRuns(): Promise<void> {
    const { runs } = await api.listRuns({ params: { study: this.studyUid }, signal: this.#abort.signal })
    if (this.closed) return
    useReading.setState({ runs })
    await this.segments.refresh(runs)
  }

  async refreshStudy(): Promise<void> {
    const study = await api.getStudy({ params: { study: this.studyUid }, signal: this.#abort.signal })
    if (!this.closed) useReading.setState({ study })
  }

  data(seriesUid: string): Promise<SeriesData> {
    return this.#library.get(seriesUid)
  }

  /** null until the headers have come. */
  known(seriesUid: string | null): SeriesData | null {
    return this.#library.known(seriesUid)
  }

  window(seriesUid: string | null): SeriesWindow {
    return this.#windows.get(seriesUid)
  }

  mount(key: string, mounted: MountedPane): void {
    this.#panes.set(key, mounted)
  }

  unmount(key: string): void {
    this.#panes.delete(key)
    useReading.setState((state) => {
      const { [key]: _gone, ...snapshots } = state.snapshots
      return { snapshots }
    })
  }

  /** Loads what a pane asks for and shows it; trouble goes to the pane, not to the whole window. */
  async fill(key: string): Promise<void> {
    const mounted = this.#panes.get(key)
    if (mounted === undefined || mounted.pane.seriesUid === null) return
    const { pane } = mounted
    this.#trouble(key, null)
    try {
      const data = await this.data(pane.seriesUid!)
      const start = openingFrame(data)
      const first = await data.image(start)
      if (this.#panes.get(key) !== mounted) return
      this.#windows.begin(data, first)
      const everything = data.loadAll(start)
      if (pane.kind !== 'stack') {
        if (!data.verdict.ok) {
          this.#trouble(key, {
            code: 'geometry/unsuitable',
            message: `${data.verdict.reason} Planes and 3D need a regular volume; the stack shows every image.`,
          })
          return
        }
        await everything
        if (pane.fusedUid !== null) void this.data(pane.fusedUid).then((fused) => this.#fuse(fused))
      }
      if (this.#panes.get(key) !== mounted || this.closed) return
      await this.#show(mounted, data, start)
      const { panes } = useReading.getState()
      this.#library.forgetUnseen(
        new Set(panes.flatMap(({ seriesUid, fusedUid }) => [seriesUid, fusedUid].filter((uid) => uid !== null))),
      )
    } catch (error) {
      if (!this.closed) this.#trouble(key, troubleOf(error))
    }
  }

  async #fuse(fused: SeriesData): Promise<void> {
    this.#windows.begin(fused, await fused.image(openingFrame(fused)))
    await fused.loadAll(openingFrame(fused))
    this.redrawAll()
  }

  async #show(mounted: MountedPane, data: SeriesData, start: number): Promise<void> {
    const { pane, planar, solid } = mounted
    const shown = this.window(pane.seriesUid)
    if (planar !== null && !isSolid(pane.kind)) {
      planar.setVoi(shown.voi, shown.inverted)
      if (pane.kind === 'stack') await planar.show(data, 'stack', start)
      else {
        this.focus ??= data.verdict.ok ? centreOf(data.verdict.geometry) : null
        await planar.show(data, pane.kind, this.focus)
      }
      planar.setVoi(shown.voi, shown.inverted)
      if (pane.kind === 'stack' && this.#jump !== null) planar.jumpTo(this.#jump)
      this.#jump = null
      mounted.redraw()
      return
    }
    if (solid !== null) {
      await solid.show(data, this.solidPreset(data, pane.kind), this.#windows.solid(data, pane.kind))
      if (pane.kind === 'volume') this.segments.surfaces(solid, data)
    }
  }

  solidPreset(data: SeriesData, kind: PaneState['kind']): SolidPreset {
    if (kind === 'mip') return MIP_PRESET
    const choices = presetsFor(data.series.modality)
    return choices.find((preset) => preset.id === useReading.getState().solidPreset) ?? choices[0] ?? MIP_PRESET
  }

  #trouble(key: string, trouble: Trouble | null): void {
    useReading.setState((state) => ({ paneTroubles: { ...state.paneTroubles, [key]: trouble } }))
  }

  /** Called after every rendering of a flat pane: keeps the store, the linked panes and the overlay in step. */
  rendered(key: string): void {
    const mounted = this.#panes.get(key)
    const snapshot = mounted?.planar?.snapshot() ?? null
    if (mounted === undefined || mounted.planar === null || snapshot === null) return
    const uid = mounted.pane.seriesUid
    const bound = this.window(uid)
    if (uid !== null && (bound.voi.lower !== snapshot.voi.lower || bound.voi.upper !== snapshot.voi.upper)) {
      this.#windows.set(uid, { voi: snapshot.voi, inverted: snapshot.inverted })
      for (const other of this.#panes.values())
        if (other !== mounted && other.pane.seriesUid === uid) other.planar?.setVoi(snapshot.voi, snapshot.inverted)
    }
    if (mounted.pane.kind !== 'stack' && this.focus !== null) {
      const plane = mounted.planar.screenPlane()
      if (plane !== null) {
        const away = dot(sub(plane.origin, this.focus), plane.normal)
        if (Math.abs(away) > 1e-3) {
          this.focus = add(this.focus, scale(plane.normal, away))
          for (const other of this.#panes.values()) if (other !== mounted) other.redraw()
        }
      }
    }
    mounted.redraw()
    useReading.setState((state) => ({
      snapshots: { ...state.snapshots, [key]: snapshot },
      firstImageMs: state.firstImageMs ?? Math.round(performance.now() - this.#opened),
    }))
  }

  /** Moves every plane (and stacks too when `stacks`) to a point of the patient. */
  setFocus(point: Vec3, stacks = false): void {
    this.focus = point
    for (const { planar, pane } of this.#panes.values())
      if (planar !== null && (pane.kind !== 'stack' || stacks)) planar.jumpTo(point)
    this.redrawAll()
  }

  /** Brings every view to a finding; when its series is on no screen, the first pane takes it. */
  async jumpToFinding(finding: Finding): Promise<void> {
    const state = useReading.getState()
    const onScreen = state.panes.some(
      ({ seriesUid, fusedUid }) => seriesUid === finding.seriesInstanceUID || fusedUid === finding.seriesInstanceUID,
    )
    const target = activePane(state)
    if (!onScreen && target !== null) {
      this.showSeries(target.key, finding.seriesInstanceUID)
      this.#jump = finding.centreLps
    }
    this.redrawAll()
    if (finding.centreLps === null) return
    const data = await this.data(finding.seriesInstanceUID).catch(() => null)
    if (data === null || this.closed) return
    this.setFocus(finding.centreLps, true)
  }

  takeRun(run: InferenceRun): void {
    useReading.setState((state) => ({ runs: state.runs.map((entry) => (entry.id === run.id ? run : entry)) }))
    this.redrawAll()
  }

  redrawAll(): void {
    for (const mounted of this.#panes.values()) {
      mounted.redraw()
      // A projection ends at whatever opaque stands in its rays: surfaces belong into renderings only.
      if (mounted.solid !== null && mounted.pane.kind === 'volume') {
        const data = this.known(mounted.pane.seriesUid)
        if (data !== null) this.segments.surfaces(mounted.solid, data)
      }
    }
  }

  /** Planes mounted now with the direction each looks along, for crosshair lines. */
  planes(): { key: string; plane: Exclude<PlanarMode, 'stack'>; normal: Vec3 }[] {
    return [...this.#panes.entries()].flatMap(([key, { pane, planar }]) => {
      const plane = planar?.screenPlane() ?? null
      return plane === null || pane.kind === 'stack' || isSolid(pane.kind)
        ? []
        : [{ key, plane: pane.kind, normal: plane.normal }]
    })
  }

  view(key: string | null): PlanarView | null {
    return key === null ? null : (this.#panes.get(key)?.planar ?? null)
  }

  solid(key: string | null): SolidView | null {
    return key === null ? null : (this.#panes.get(key)?.solid ?? null)
  }

  /** Chooses a window for every flat view of a series, or for its projection when that is the active pane. */
  setWindow(seriesUid: string, voi: VoiRange, inverted: boolean): void {
    const active = activePane(useReading.getState())
    if (active?.kind === 'mip') this.#windows.setProjection(seriesUid, voi)
    else this.#windows.set(seriesUid, { voi, inverted })
    const shown = this.window(seriesUid)
    const data = this.known(seriesUid)
    for (const { pane, planar, solid } of this.#panes.values()) {
      if (pane.seriesUid !== seriesUid) continue
      planar?.setVoi(shown.voi, shown.inverted)
      if (data !== null) solid?.apply(this.solidPreset(data, pane.kind), this.#windows.solid(data, pane.kind))
    }
    this.redrawAll()
  }

  setLayout(layout: LayoutId): void {
    const state = useReading.getState()
    const current = activePane(state)?.seriesUid ?? null
    const panes = panesFor(layout, current, state.study?.seriesList ?? [])
    const needed = LAYOUT_SHAPES[layout].volume
    if (needed) this.focus = this.#focusFor(current)
    useReading.setState({ layout, panes, active: panes[0]?.key ?? null, paneTroubles: {} })
  }

  /** Where the person was looking, so that planes open there. */
  #focusFor(seriesUid: string | null): Vec3 | null {
    const active = useReading.getState().active
    const data = this.known(seriesUid)
    if (data === null || !data.verdict.ok) return null
    const centre = centreOf(data.verdict.geometry)
    const view = this.view(active)
    const plane = view?.data === data ? view.screenPlane() : null
    if (plane == null) return this.focus ?? centre
    return add(centre, scale(plane.normal, dot(sub(plane.origin, centre), plane.normal)))
  }

  showSeries(key: string, seriesUid: string): void {
    const { layout } = useReading.getState()
    const linked = layout === 'mpr' || layout === 'mpr3d'
    if (linked) this.focus = null
    useReading.setState((state) => ({
      active: key,
      panes: state.panes.map((pane) => (linked || pane.key === key ? { ...pane, seriesUid, fusedUid: null } : pane)),
    }))
  }

  setOverlay(change: Partial<ReturnType<typeof useReading.getState>['overlay']>): void {
    useReading.setState((state) => ({ overlay: { ...state.overlay, ...change } }))
    this.redrawAll()
  }

  renderAll(): void {
    for (const { planar } of this.#panes.values()) planar?.render()
  }

  setTool(tool: PrimaryTool): void {
    setPrimaryTool(tool)
    useReading.setState({ tool })
  }

  setCine(on: boolean): void {
    window.clearInterval(this.#cine)
    useReading.setState({ cine: on })
    if (!on) return
    this.#cine = window.setInterval(() => {
      const { active, snapshots } = useReading.getState()
      const snapshot = active === null ? null : snapshots[active]
      const view = this.view(active)
      if (snapshot == null || view === null) return
      void view.goTo((snapshot.index + 1) % snapshot.count)
    }, 1000 / 15)
  }

  close(): void {
    this.#abort.abort()
    window.clearInterval(this.#cine)
    clearMeasurements()
    this.#library.dispose()
    this.#panes.clear()
  }
}
