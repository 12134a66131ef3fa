import { openDialog } from '../../app/app-store.ts'
import { deleteMeasurement } from '../../viewer/tools.ts'
import { imageSeries, LAYOUTS } from './layouts.ts'
import type { ReadingSession } from './session.ts'
import { activePane, useReading } from './store.ts'

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches('input:not([type=range]), textarea, select') ||
      target.closest('[role=dialog], [role=menu]') !== null)
  )
}

function stepPane(by: number): void {
  const { panes, active } = useReading.getState()
  const at = panes.findIndex((pane) => pane.key === active)
  const next = panes[(at + by + panes.length) % panes.length]
  if (next !== undefined) useReading.setState({ active: next.key })
}

function stepSeries(session: ReadingSession, by: number): void {
  const state = useReading.getState()
  const pane = activePane(state)
  const series = imageSeries(state.study?.seriesList ?? [])
  const at = series.findIndex((entry) => entry.seriesInstanceUID === pane?.seriesUid)
  const next = series[at + by]
  if (pane !== null && next !== undefined) session.showSeries(pane.key, next.seriesInstanceUID)
}

function stepLayout(session: ReadingSession, by: number): void {
  const at = LAYOUTS.indexOf(useReading.getState().layout)
  const next = LAYOUTS[at + by]
  if (next !== undefined) session.setLayout(next)
}

export function resetActive(session: ReadingSession): void {
  const pane = activePane(useReading.getState())
  session.view(pane?.key ?? null)?.resetView()
  session.solid(pane?.key ?? null)?.reset()
}

export function invertActive(session: ReadingSession): void {
  const uid = activePane(useReading.getState())?.seriesUid
  if (uid == null) return
  const { voi, inverted } = session.window(uid)
  session.setWindow(uid, voi, !inverted)
}

function preset(session: ReadingSession, key: string): boolean {
  const state = useReading.getState()
  const uid = activePane(state)?.seriesUid
  const found = uid == null ? undefined : state.facts[uid]?.presets.find((entry) => entry.key === key)
  if (uid == null || found === undefined) return false
  session.setWindow(uid, found.voi, session.window(uid).inverted)
  return true
}

/** Keys as OHIF has them (docs: Help ▸ Keyboard shortcuts). Every one has a button too. */
export function handleKey(session: ReadingSession, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return
  const view = session.view(useReading.getState().active)
  const actions: Record<string, () => unknown> = {
    ArrowUp: () => view?.scroll(-1),
    ArrowDown: () => view?.scroll(1),
    ArrowLeft: () => stepPane(-1),
    ArrowRight: () => stepPane(1),
    Home: () => view?.goTo(0),
    End: () => view?.goTo(Number.MAX_SAFE_INTEGER),
    PageUp: () => stepSeries(session, -1),
    PageDown: () => stepSeries(session, 1),
    ' ': () => resetActive(session),
    '=': () => view?.resetView(),
    '+': () => view?.zoomBy(1.2),
    '-': () => view?.zoomBy(1 / 1.2),
    r: () => view?.rotateBy(90),
    l: () => view?.rotateBy(-90),
    h: () => view?.flip('horizontal'),
    v: () => view?.flip('vertical'),
    i: () => invertActive(session),
    c: () => session.setCine(!useReading.getState().cine),
    z: () => session.setTool('zoom'),
    w: () => session.setTool('window'),
    x: () => session.setTool('crosshair'),
    d: () => session.setTool('length'),
    a: () => session.setTool('angle'),
    o: () => session.setTool('ellipse'),
    t: () => session.setTool('rectangle'),
    s: () => session.setOverlay({ visible: !useReading.getState().overlay.visible }),
    Escape: () => session.setTool('window'),
    Delete: () => deleteAndDraw(session),
    Backspace: () => deleteAndDraw(session),
    ',': () => stepLayout(session, -1),
    '.': () => stepLayout(session, 1),
    '?': () => openDialog('shortcuts'),
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  // Space and Enter belong to a focused button.
  if (key === ' ' && event.target instanceof HTMLButtonElement) return
  if (/^[1-9]$/.test(key)) {
    if (preset(session, key)) event.preventDefault()
    return
  }
  const action = actions[key]
  if (action === undefined) return
  event.preventDefault()
  action()
}

export function deleteAndDraw(session: ReadingSession): void {
  if (deleteMeasurement()) session.renderAll()
}
