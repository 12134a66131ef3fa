import { useEffect, useState } from 'react'
import { onAppEvent } from '../../app/events.ts'
import { TroubleNote } from '../../ui/controls.tsx'
import { FindingsPanel } from '../findings/FindingsPanel.tsx'
import { SessionContext } from './context.ts'
import { handleKey } from './keys.ts'
import { SeriesPanel } from './SeriesPanel.tsx'
import { ReadingSession } from './session.ts'
import { initialReading, useReading } from './store.ts'
import { Toolbar } from './Toolbar.tsx'
import { ViewportGrid } from './ViewportGrid.tsx'
import './reading.css'

/** One study, open for reading. A new study is a new screen (keyed by its UID). */
export function ReadingScreen({ studyUid }: { studyUid: string }) {
  const [session] = useState(() => new ReadingSession(studyUid))
  const trouble = useReading((state) => state.trouble)
  const ready = useReading((state) => state.study?.studyInstanceUID === studyUid)
  const firstImageMs = useReading((state) => state.firstImageMs)

  useEffect(() => {
    void session.open()
    const keyDown = (event: KeyboardEvent): void => handleKey(session, event)
    // While capturing: the drawing library keeps keys for itself once an image has been clicked.
    window.addEventListener('keydown', keyDown, { capture: true })
    const off = onAppEvent((event) => {
      if (event.type === 'findings-changed' && event.studyInstanceUID === studyUid)
        void session.refreshRuns().catch(() => undefined)
      if (event.type === 'studies-changed' && event.studyInstanceUIDs.includes(studyUid))
        void session.refreshStudy().catch(() => undefined)
    })
    return () => {
      window.removeEventListener('keydown', keyDown, { capture: true })
      off()
      // Panes give their viewports back first; then the pixels can go.
      queueMicrotask(() => session.close())
      useReading.setState(initialReading)
    }
  }, [session, studyUid])

  if (trouble !== null)
    return (
      <div className="fill-centre">
        <TroubleNote {...trouble} />
      </div>
    )
  if (!ready)
    return (
      <div className="fill-centre">
        <div className="spinner" role="status" aria-label="Opening the study" />
      </div>
    )
  return (
    <SessionContext value={session}>
      <div className="reading" data-testid="reading" data-study={studyUid} data-first-image-ms={firstImageMs ?? ''}>
        <Toolbar />
        <SeriesPanel />
        <ViewportGrid />
        <FindingsPanel />
      </div>
    </SessionContext>
  )
}
