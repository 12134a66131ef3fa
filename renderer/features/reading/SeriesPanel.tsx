import { imageSeries } from './layouts.ts'
import { Thumbnail } from '../worklist/Thumbnail.tsx'
import { Bar } from '../../ui/controls.tsx'
import { useSession } from './context.ts'
import { activePane, useReading } from './store.ts'

export const SERIES_DRAG_TYPE = 'application/x-alcove-series'

function Progress({ seriesUid }: { seriesUid: string }) {
  const progress = useReading((state) => state.progress[seriesUid])
  if (progress === undefined || progress.loaded + progress.failed >= progress.total) return null
  return <Bar value={progress.loaded / progress.total} label="Loading" />
}

/** The series of the study; a double click or a drag brings one into a viewport. */
export function SeriesPanel() {
  const session = useSession()
  const study = useReading((state) => state.study)
  const panes = useReading((state) => state.panes)
  const pane = useReading(activePane)
  const progress = useReading((state) => state.progress)
  if (study === null) return null
  const shown = imageSeries(study.seriesList)
  const others = study.seriesList.filter((entry) => !shown.includes(entry))
  return (
    <aside className="series-panel" aria-label="Series" data-testid="series-panel">
      {shown.map((series) => {
        const uid = series.seriesInstanceUID
        const used = panes.some((entry) => entry.seriesUid === uid || entry.fusedUid === uid)
        const loaded = progress[uid]
        const show = (): void => {
          if (pane !== null) session.showSeries(pane.key, uid)
        }
        return (
          <button
            key={uid}
            type="button"
            className="series-card"
            aria-pressed={used}
            aria-label={`${series.modality} ${series.description ?? ''}, ${series.frames} images`}
            data-testid="series-card"
            data-series={uid}
            data-loaded={loaded?.loaded ?? 0}
            data-total={loaded?.total ?? series.frames}
            draggable
            onDragStart={(event) => event.dataTransfer.setData(SERIES_DRAG_TYPE, uid)}
            onDoubleClick={show}
            onKeyDown={(event) => {
              if (event.key === 'Enter') show()
            }}
          >
            <Thumbnail className="series-thumb" resource={`studies/${study.studyInstanceUID}/series/${uid}`} label="" />
            <span className="series-line">
              <span className={used ? 'chip accent' : 'chip'}>{series.modality}</span>
              <span>{series.frames}</span>
            </span>
            <span className="series-name">{series.description ?? `Series ${series.seriesNumber ?? ''}`}</span>
            <Progress seriesUid={uid} />
          </button>
        )
      })}
      {others.map((series) => (
        <div key={series.seriesInstanceUID} className="series-other">
          <span className="chip">{series.modality}</span>
          <span>{series.description ?? `Series ${series.seriesNumber ?? ''}`}</span>
        </div>
      ))}
    </aside>
  )
}
