import { Eye, EyeOff } from 'lucide-react'
import { IconButton, Slider } from '../../ui/controls.tsx'
import { useSession } from '../reading/context.ts'
import { useReading } from '../reading/store.ts'
import { ModelsSection } from './ModelsSection.tsx'
import { RunSection } from './RunSection.tsx'
import './findings.css'

function OverlayControls() {
  const session = useSession()
  const overlay = useReading((state) => state.overlay)
  const fused = useReading((state) => state.panes.some((pane) => pane.fusedUid !== null))
  return (
    <div className="overlay-controls">
      <IconButton
        label={overlay.visible ? 'Hide segments' : 'Show segments'}
        keys="S"
        pressed={overlay.visible}
        side="right"
        testId="overlay-toggle"
        onClick={() => session.setOverlay({ visible: !overlay.visible })}
      >
        {overlay.visible ? <Eye size={16} /> : <EyeOff size={16} />}
      </IconButton>
      <span>Segments</span>
      <Slider
        label="Opacity of segments"
        testId="overlay-opacity"
        value={overlay.opacity}
        onChange={(opacity) => session.setOverlay({ opacity })}
      />
      {fused && (
        <>
          <span className="fusion-label">PET over CT</span>
          <Slider
            label="Opacity of PET over CT"
            testId="fusion-opacity"
            value={overlay.fusion}
            onChange={(fusion) => session.setOverlay({ fusion })}
          />
        </>
      )}
    </div>
  )
}

/** Right side: models to run, what they found, and how they came to it. */
export function FindingsPanel() {
  const runs = useReading((state) => state.runs)
  return (
    <aside className="findings" aria-label="AI findings" data-testid="findings-panel">
      <OverlayControls />
      <ModelsSection />
      <div className="runs">
        {runs.length === 0 ? (
          <p className="faint none">No model has been run on this study.</p>
        ) : (
          runs.map((run, at) => <RunSection key={run.id} run={run} initiallyOpen={at === 0} />)
        )}
      </div>
    </aside>
  )
}
