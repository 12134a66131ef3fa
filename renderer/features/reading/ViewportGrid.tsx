import { ViewportPane } from './ViewportPane.tsx'
import { useReading } from './store.ts'

export function ViewportGrid() {
  const layout = useReading((state) => state.layout)
  const panes = useReading((state) => state.panes)
  if (panes.every((pane) => pane.seriesUid === null))
    return (
      <div className="viewports" data-testid="viewports">
        <div className="fill-centre faint">This study holds no images.</div>
      </div>
    )
  return (
    <div className={`viewports layout-${layout}`} data-testid="viewports" data-layout={layout}>
      {panes.map((pane) => (
        <ViewportPane key={pane.key} pane={pane} />
      ))}
    </div>
  )
}
