import { CircleCheck, CircleX, Import, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { goTo } from '../../app/router.ts'
import { Bar, Dialog, IconButton } from '../../ui/controls.tsx'
import { bytesText, countText } from '../../ui/format.ts'
import { cancelImport, dismissImport, type ImportView, useImport } from './store.ts'

function Running({ view }: { view: ImportView }) {
  const { progress } = view.task
  const total = progress.total
  return (
    <>
      <div className="import-head">
        <Import size={16} aria-hidden />
        <b>Importing</b>
        <span data-testid="import-count">
          {progress.done.toLocaleString('en')}
          {total !== null && ` of ${total.toLocaleString('en')}`} files
        </span>
        <button type="button" className="button small" data-testid="import-cancel" onClick={() => void cancelImport()}>
          Cancel
        </button>
      </div>
      <Bar value={total === null || total === 0 ? null : progress.done / total} label="Import" />
      <div className="import-note">{progress.note}</div>
    </>
  )
}

function Rejected({ view, onClose }: { view: ImportView; onClose: () => void }) {
  const rejected = view.result?.rejected ?? []
  return (
    <Dialog title={`${countText(rejected.length, 'file')} not imported`} onClose={onClose}>
      <table className="rejected" data-testid="rejected">
        <thead>
          <tr>
            <th>File</th>
            <th>Why</th>
            <th>Code</th>
          </tr>
        </thead>
        <tbody>
          {rejected.slice(0, 500).map((entry) => (
            <tr key={entry.path}>
              <td>{entry.path}</td>
              <td>{entry.message}</td>
              <td>
                <code>{entry.code}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rejected.length > 500 && <p>and {rejected.length - 500} more.</p>}
    </Dialog>
  )
}

function Finished({ view, onDetails }: { view: ImportView; onDetails: () => void }) {
  const { task, result } = view
  const failed = task.state !== 'done'
  const bytes = result?.studies.reduce((sum, study) => sum + study.bytes, 0) ?? 0
  return (
    <>
      <div className="import-head">
        {failed ? (
          <CircleX size={16} className="bad" aria-hidden />
        ) : (
          <CircleCheck size={16} className="good" aria-hidden />
        )}
        <b>{task.state === 'cancelled' ? 'Import cancelled' : failed ? 'Import failed' : 'Import finished'}</b>
        <IconButton label="Dismiss" side="left" onClick={dismissImport}>
          <X size={14} />
        </IconButton>
      </div>
      {task.error !== null && task.state === 'failed' && (
        <div className="import-note">
          {task.error.message} <code>{task.error.code}</code>
        </div>
      )}
      {result !== null && (
        <div className="import-note" data-testid="import-summary">
          {countText(result.imported, 'image')} in {countText(result.studies.length, 'study', 'studies')} ·{' '}
          {bytesText(bytes)} in {result.seconds.toFixed(1)} s
          {result.duplicates > 0 && ` · ${countText(result.duplicates, 'duplicate')}`}
        </div>
      )}
      <div className="import-actions">
        {(result?.rejected.length ?? 0) > 0 && (
          <button type="button" className="button small" data-testid="import-rejected" onClick={onDetails}>
            {countText(result!.rejected.length, 'file')} not imported…
          </button>
        )}
        {result?.studies.length === 1 && (
          <button
            type="button"
            className="button small primary"
            onClick={() => {
              dismissImport()
              goTo({ name: 'study', studyUid: result.studies[0]!.studyInstanceUID })
            }}
          >
            Open study
          </button>
        )}
      </div>
    </>
  )
}

/** Bottom right while something is brought in, and after, until dismissed. */
export function ImportPanel() {
  const { current, trouble } = useImport()
  const [details, setDetails] = useState(false)
  const finished = current !== null && current.task.state !== 'running'
  useEffect(() => {
    if (!finished) return
    // Going on to another screen says that the summary has been read.
    window.addEventListener('hashchange', dismissImport)
    return () => window.removeEventListener('hashchange', dismissImport)
  }, [finished])
  if (current === null && trouble === null) return null
  return (
    <>
      <section
        className="import-panel"
        aria-label="Import"
        aria-live="polite"
        data-testid="import-panel"
        data-state={current?.task.state ?? 'failed'}
      >
        {trouble !== null && (
          <>
            <div className="import-head">
              <CircleX size={16} className="bad" aria-hidden />
              <b>Import failed</b>
              <IconButton label="Dismiss" side="left" onClick={dismissImport}>
                <X size={14} />
              </IconButton>
            </div>
            <div className="import-note">
              {trouble.message} <code>{trouble.code}</code>
            </div>
          </>
        )}
        {trouble === null &&
          current !== null &&
          (current.task.state === 'running' ? (
            <Running view={current} />
          ) : (
            <Finished view={current} onDetails={() => setDetails(true)} />
          ))}
      </section>
      {details && current !== null && <Rejected view={current} onClose={() => setDetails(false)} />}
    </>
  )
}
