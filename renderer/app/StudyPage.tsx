import { type ComponentType, useEffect, useState } from 'react'

type Screen = ComponentType<{ studyUid: string }>

let loaded: Screen | null = null

/** The study list must stand before the viewer's megabytes have been read; later calls give the same screen. */
export async function loadReadingScreen(): Promise<Screen> {
  const { ReadingScreen } = await import('../features/reading/ReadingScreen.tsx')
  loaded = ReadingScreen
  return ReadingScreen
}

/** Not React's lazy(): its Suspense holds back what has come for 300 ms once a spinner was shown. */
export function StudyPage({ studyUid }: { studyUid: string }) {
  const [Reading, setReading] = useState<Screen | null>(() => loaded)
  const [failure, setFailure] = useState<unknown>(null)

  useEffect(() => {
    if (Reading === null) loadReadingScreen().then((screen) => setReading(() => screen), setFailure)
  }, [Reading])

  // The error boundary shows it.
  if (failure !== null) throw failure
  if (Reading === null)
    return (
      <div className="fill-centre">
        <div className="spinner" role="status" aria-label="Opening the study" />
      </div>
    )
  return <Reading studyUid={studyUid} />
}
