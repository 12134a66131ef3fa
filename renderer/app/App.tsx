import { useEffect } from 'react'
import { toAlcoveError } from '#common/errors.ts'
import { DropZone } from '../features/import/DropZone.tsx'
import { ImportPanel } from '../features/import/ImportPanel.tsx'
import { followImports } from '../features/import/store.ts'
import { Worklist } from '../features/worklist/Worklist.tsx'
import { TroubleNote } from '../ui/controls.tsx'
import { api } from './api.ts'
import { openDialog, useApp } from './app-store.ts'
import { bridge } from './bridge.ts'
import { Dialogs } from './Dialogs.tsx'
import { followEvents, onAppEvent } from './events.ts'
import { MenuBar } from './MenuBar.tsx'
import { goTo, pageOf, useHash } from './router.ts'
import { StatusBar } from './StatusBar.tsx'
import { loadReadingScreen, StudyPage } from './StudyPage.tsx'

/** While a person looks at the list: the viewer is read and its graphics start, so that a click shows an image. */
async function warm(): Promise<void> {
  try {
    const [{ startEngine }, settings] = await Promise.all([
      import('../viewer/engine.ts'),
      api.getSettings().catch(() => null),
      loadReadingScreen(),
    ])
    await startEngine(settings?.renderBackend ?? 'auto')
  } catch {
    // Opening a study tries again and says what is wrong.
  }
}

async function readInfo(): Promise<void> {
  try {
    useApp.setState({ info: await api.appInfo(), trouble: null })
  } catch (error) {
    const known = toAlcoveError(error)
    useApp.setState({ trouble: { code: known.code, message: known.message } })
  }
}

export function App() {
  const page = pageOf(useHash())
  const trouble = useApp((state) => state.trouble)

  useEffect(() => {
    const stop = new AbortController()
    void readInfo()
    void followEvents(stop.signal)
    const warmUp = window.setTimeout(() => void warm(), 300)
    const leave = [
      followImports(),
      onAppEvent((event) => {
        if (event.type === 'open-study') goTo({ name: 'study', studyUid: event.studyInstanceUID })
      }),
      bridge()?.onMenu((action) => {
        if (action === 'worklist') goTo({ name: 'worklist' })
        else openDialog(action)
      }),
    ]
    return () => {
      stop.abort()
      window.clearTimeout(warmUp)
      for (const off of leave) off?.()
    }
  }, [])

  return (
    <div className="app">
      <MenuBar page={page} />
      <main className="app-main">
        {trouble !== null ? (
          <div className="fill-centre">
            <TroubleNote {...trouble} onRetry={() => void readInfo()} />
          </div>
        ) : page.name === 'study' ? (
          <StudyPage key={page.studyUid} studyUid={page.studyUid} />
        ) : (
          <Worklist />
        )}
      </main>
      <StatusBar />
      <DropZone />
      <ImportPanel />
      <Dialogs />
    </div>
  )
}
