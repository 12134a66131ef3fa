import { type DragEvent, type PointerEvent, useEffect, useRef, useState } from 'react'
import { Bar, TroubleNote } from '../../ui/controls.tsx'
import { formatValue } from '../../viewer/measurements.ts'
import { OverlayLayer, type OverlayContent } from '../../viewer/overlay-layer.ts'
import { PlanarView } from '../../viewer/planar-view.ts'
import { SolidView } from '../../viewer/solid-view.ts'
import { useSession } from './context.ts'
import { Corners } from './Corners.tsx'
import { isSolid, LAYOUT_SHAPES, type PaneState } from './layouts.ts'
import { SERIES_DRAG_TYPE } from './SeriesPanel.tsx'
import type { ReadingSession } from './session.ts'
import { useReading } from './store.ts'

/** Filling of segments over a fused image, whose colours are to be seen too. */
const FUSED_FILL = 0.35

function overlayOf(session: ReadingSession, pane: PaneState, planar: PlanarView): OverlayContent {
  const { data } = planar
  const { overlay, tool, layout } = useReading.getState()
  const fused = session.known(pane.fusedUid)
  const linked = LAYOUT_SHAPES[layout].volume && !isSolid(pane.kind) && pane.kind !== 'stack'
  return {
    extent: pane.kind !== 'stack' && data !== null && data.verdict.ok ? data.verdict.geometry : null,
    fusion:
      fused !== null && fused.progress.loaded === fused.progress.total
        ? { data: fused, voi: session.window(pane.fusedUid).voi, colourMap: 'hot-iron', opacity: overlay.fusion }
        : null,
    labels: data === null ? [] : session.segments.layers(data, pane.fusedUid === null ? 1 : FUSED_FILL),
    crosshair:
      linked && session.focus !== null && (tool === 'crosshair' || tool === 'window')
        ? { focus: session.focus, lines: session.planes().filter((line) => line.key !== pane.key) }
        : null,
  }
}

/** One viewport: the image, what lies over it and the words around it. */
export function ViewportPane({ pane }: { pane: PaneState }) {
  const session = useSession()
  const host = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const readout = useRef<HTMLSpanElement>(null)
  const active = useReading((state) => state.active === pane.key)
  const many = useReading((state) => state.panes.length > 1)
  const tool = useReading((state) => state.tool)
  const trouble = useReading((state) => state.paneTroubles[pane.key] ?? null)
  const progress = useReading((state) => (pane.seriesUid === null ? undefined : state.progress[pane.seriesUid]))
  const shown = useReading((state) => state.snapshots[pane.key] ?? null)
  const unit = useReading((state) => (pane.seriesUid === null ? '' : (state.facts[pane.seriesUid]?.unit ?? '')))
  const [over, setOver] = useState(false)
  const [solidDone, setSolidDone] = useState(false)
  const solid = isSolid(pane.kind)

  useEffect(() => {
    const element = host.current
    const layer = canvas.current
    if (element === null || layer === null) return
    const overlay = new OverlayLayer(layer)
    let planar: PlanarView | null = null
    let depth: SolidView | null = null
    if (isSolid(pane.kind)) depth = new SolidView(element, () => setSolidDone(true))
    else planar = new PlanarView(element, () => session.rendered(pane.key))
    const redraw = (): void => {
      if (planar !== null) overlay.draw(planar.screenPlane(), overlayOf(session, pane, planar))
    }
    session.mount(pane.key, { pane, planar, solid: depth, redraw })
    void session.fill(pane.key)
    return () => {
      session.unmount(pane.key)
      planar?.dispose()
      depth?.dispose()
    }
  }, [session, pane])

  const focusAt = (event: PointerEvent): void => {
    const box = event.currentTarget.getBoundingClientRect()
    const point = session.view(pane.key)?.screenToWorld(event.clientX - box.left, event.clientY - box.top)
    if (point != null) session.setFocus(point, true)
  }
  const probe = (event: PointerEvent): void => {
    if (readout.current === null) return
    const box = event.currentTarget.getBoundingClientRect()
    const found = session.view(pane.key)?.probe(event.clientX - box.left, event.clientY - box.top)
    const label = unit === 'SUVbw' ? 'SUV' : unit === 'stored' ? '' : unit
    readout.current.textContent = found == null ? '' : `${formatValue(found.value, label)} ${label}`.trim()
  }
  const drop = (event: DragEvent): void => {
    const uid = event.dataTransfer.getData(SERIES_DRAG_TYPE)
    setOver(false)
    if (uid === '') return
    event.preventDefault()
    session.showSeries(pane.key, uid)
  }
  const complete = progress !== undefined && progress.loaded + progress.failed >= progress.total
  const waiting = trouble === null && (solid ? !solidDone : shown === null)

  return (
    <section
      className={`pane kind-${pane.kind}${active && many ? ' active' : ''}${over ? ' over' : ''}`}
      aria-label={`Viewport ${pane.kind}`}
      data-testid="pane"
      data-kind={pane.kind}
      data-active={active}
      data-index={shown?.index ?? ''}
      data-count={shown?.count ?? ''}
      data-lower={shown?.voi.lower ?? ''}
      data-upper={shown?.voi.upper ?? ''}
      data-inverted={shown?.inverted ?? ''}
      data-ready={solid ? solidDone : shown !== null}
      onPointerDownCapture={() => useReading.setState({ active: pane.key })}
      onPointerMove={probe}
      onPointerLeave={() => {
        if (readout.current !== null) readout.current.textContent = ''
      }}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(SERIES_DRAG_TYPE)) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      onContextMenu={(event) => event.preventDefault()}
    >
      <div className="pane-image" ref={host} />
      <canvas className="pane-overlay" ref={canvas} data-testid="overlay" />
      {tool === 'crosshair' && !solid && (
        <div
          className="pane-crosshair"
          data-testid="crosshair-layer"
          onPointerDown={(event) => {
            if (event.button !== 0) return
            event.currentTarget.setPointerCapture(event.pointerId)
            focusAt(event)
          }}
          onPointerMove={(event) => {
            if ((event.buttons & 1) === 1) focusAt(event)
          }}
          onWheel={(event) => void session.view(pane.key)?.scroll(Math.sign(event.deltaY))}
        />
      )}
      <Corners pane={pane} readout={readout} />
      {waiting && (
        <div className="fill-centre">
          <div className="pane-wait" role="status">
            {progress === undefined || solid ? (
              <div className="spinner" aria-label="Loading" />
            ) : (
              <Bar value={progress.loaded / progress.total} label="Loading" />
            )}
          </div>
        </div>
      )}
      {trouble !== null && (
        <div className="fill-centre trouble-ground">
          <TroubleNote {...trouble} onRetry={() => void session.fill(pane.key)} />
        </div>
      )}
      {!complete && !waiting && progress !== undefined && (
        <div className="pane-progress">
          <Bar value={progress.loaded / progress.total} label="Loading the other images" />
        </div>
      )}
    </section>
  )
}
