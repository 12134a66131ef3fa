import {
  Circle,
  Contrast,
  Crosshair,
  FlipHorizontal2,
  FlipVertical2,
  Hand,
  Play,
  RotateCcw,
  RotateCw,
  Ruler,
  Square,
  SquareDashed,
  SunMedium,
  Trash2,
  Triangle,
  Undo2,
  ZoomIn,
} from 'lucide-react'
import { Fragment, type ReactNode } from 'react'
import { IconButton } from '../../ui/controls.tsx'
import type { PrimaryTool } from '../../viewer/tools.ts'
import { presetsFor } from '../../viewer/solid-presets.ts'
import { useSession } from './context.ts'
import { deleteAndDraw, invertActive, resetActive } from './keys.ts'
import { fusionPair, isSolid, LAYOUT_SHAPES, LAYOUTS } from './layouts.ts'
import { LayoutPicture } from './LayoutPicture.tsx'
import { activePane, useReading } from './store.ts'

const TOOLS: { id: PrimaryTool; label: string; keys: string; icon: ReactNode }[][] = [
  [
    { id: 'window', label: 'Window', keys: 'W', icon: <SunMedium size={17} /> },
    { id: 'pan', label: 'Pan', keys: 'middle button', icon: <Hand size={17} /> },
    { id: 'zoom', label: 'Zoom', keys: 'Z', icon: <ZoomIn size={17} /> },
    { id: 'crosshair', label: 'Crosshair', keys: 'X', icon: <Crosshair size={17} /> },
  ],
  [
    { id: 'length', label: 'Length', keys: 'D', icon: <Ruler size={17} /> },
    { id: 'angle', label: 'Angle', keys: 'A', icon: <Triangle size={17} /> },
    { id: 'ellipse', label: 'Ellipse', keys: 'O', icon: <Circle size={17} /> },
    { id: 'rectangle', label: 'Rectangle', keys: 'T', icon: <Square size={17} /> },
  ],
]

function WindowMenu() {
  const session = useSession()
  const pane = useReading(activePane)
  const facts = useReading((state) => (pane?.seriesUid == null ? undefined : state.facts[pane.seriesUid]))
  const solidPreset = useReading((state) => state.solidPreset)
  if (pane?.seriesUid == null || facts === undefined) return null
  const uid = pane.seriesUid
  if (pane.kind === 'volume') {
    return (
      <select
        className="select"
        aria-label="3D preset"
        data-testid="solid-preset"
        value={solidPreset ?? ''}
        onChange={(event) => {
          useReading.setState({ solidPreset: event.target.value })
          const { voi, inverted } = session.window(uid)
          session.setWindow(uid, voi, inverted)
          event.target.blur()
        }}
      >
        {solidPreset === null && <option value="">3D preset</option>}
        {presetsFor(facts.modality).map((preset) => (
          <option key={preset.id} value={preset.id}>
            {preset.title}
          </option>
        ))}
      </select>
    )
  }
  if (facts.presets.length === 0) return null
  return (
    <select
      className="select"
      aria-label="Window preset"
      data-testid="window-preset"
      value=""
      onChange={(event) => {
        const preset = facts.presets.find((entry) => entry.key === event.target.value)
        if (preset !== undefined) session.setWindow(uid, preset.voi, session.window(uid).inverted)
        event.target.blur()
      }}
    >
      <option value="">Window</option>
      {facts.presets.map((preset) => (
        <option key={preset.key} value={preset.key}>
          {preset.key} {preset.name}
        </option>
      ))}
    </select>
  )
}

function Layouts() {
  const session = useSession()
  const layout = useReading((state) => state.layout)
  const study = useReading((state) => state.study)
  const pane = useReading(activePane)
  const facts = useReading((state) => (pane?.seriesUid == null ? undefined : state.facts[pane.seriesUid]))
  const canFuse = fusionPair(study?.seriesList ?? []) !== null
  return (
    <>
      {LAYOUTS.filter((id) => id !== 'fusion' || canFuse).map((id) => {
        const blocked = LAYOUT_SHAPES[id].volume && facts?.noVolume != null && id !== 'fusion' ? facts.noVolume : null
        return (
          <IconButton
            key={id}
            label={blocked === null ? LAYOUT_SHAPES[id].title : `${LAYOUT_SHAPES[id].title}: ${blocked}`}
            pressed={layout === id}
            disabled={blocked !== null}
            side="left"
            testId={`layout-${id}`}
            onClick={() => session.setLayout(id)}
          >
            <LayoutPicture id={id} />
          </IconButton>
        )
      })}
    </>
  )
}

export function Toolbar() {
  const session = useSession()
  const tool = useReading((state) => state.tool)
  const cine = useReading((state) => state.cine)
  const pane = useReading(activePane)
  const solid = pane !== null && isSolid(pane.kind)
  const view = session.view(pane?.key ?? null)
  const camera = session.solid(pane?.key ?? null)
  return (
    <div className="toolbar" role="toolbar" aria-label="Tools" data-testid="toolbar">
      {TOOLS.map((group, at) => (
        <Fragment key={group[0]!.id}>
          {at > 0 && <span className="divider" />}
          {group.map((entry) => (
            <IconButton
              key={entry.id}
              label={entry.label}
              keys={entry.keys}
              pressed={tool === entry.id}
              testId={`tool-${entry.id}`}
              {...(entry.id === 'window' ? { side: 'right' as const } : {})}
              onClick={() => session.setTool(entry.id)}
            >
              {entry.icon}
            </IconButton>
          ))}
        </Fragment>
      ))}
      <IconButton
        label="Delete measurement"
        keys="Del"
        testId="delete-measurement"
        onClick={() => deleteAndDraw(session)}
      >
        <Trash2 size={17} />
      </IconButton>
      <span className="divider" />
      <WindowMenu />
      <IconButton label="Invert" keys="I" testId="invert" onClick={() => invertActive(session)}>
        <Contrast size={17} />
      </IconButton>
      {solid ? (
        <>
          {(['front', 'left', 'top'] as const).map((side) => (
            <button
              key={side}
              type="button"
              className="icon-button text"
              aria-label={`Look from the ${side}`}
              onClick={() => camera?.turn(side)}
            >
              {side === 'front' ? 'A' : side === 'left' ? 'L' : 'H'}
            </button>
          ))}
        </>
      ) : (
        <>
          <IconButton label="Rotate right" keys="R" testId="rotate-right" onClick={() => view?.rotateBy(90)}>
            <RotateCw size={17} />
          </IconButton>
          <IconButton label="Rotate left" keys="L" testId="rotate-left" onClick={() => view?.rotateBy(-90)}>
            <RotateCcw size={17} />
          </IconButton>
          <IconButton label="Flip horizontally" keys="H" testId="flip-h" onClick={() => view?.flip('horizontal')}>
            <FlipHorizontal2 size={17} />
          </IconButton>
          <IconButton label="Flip vertically" keys="V" testId="flip-v" onClick={() => view?.flip('vertical')}>
            <FlipVertical2 size={17} />
          </IconButton>
          <IconButton
            label={cine ? 'Stop' : 'Cine'}
            keys="C"
            pressed={cine}
            testId="cine"
            onClick={() => session.setCine(!cine)}
          >
            {cine ? <SquareDashed size={17} /> : <Play size={17} />}
          </IconButton>
        </>
      )}
      <IconButton label="Reset view" keys="Space" testId="reset" onClick={() => resetActive(session)}>
        <Undo2 size={17} />
      </IconButton>
      <span className="grow" />
      <Layouts />
    </div>
  )
}
