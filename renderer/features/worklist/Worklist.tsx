import { FolderDown, Search } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { onAppEvent } from '../../app/events.ts'
import { TroubleNote } from '../../ui/controls.tsx'
import { countText } from '../../ui/format.ts'
import { chooseAndImport } from '../import/choose.ts'
import { PreviewPanel } from './PreviewPanel.tsx'
import { loadRuns, reload, setSearch, useWorklist } from './store.ts'
import { StudyTable } from './StudyTable.tsx'
import './worklist.css'

function Empty() {
  return (
    <div className="fill-centre">
      <div className="empty-state" data-testid="empty-state">
        <FolderDown size={44} strokeWidth={1.2} aria-hidden />
        <h2>No studies yet</h2>
        <p>Drop a folder, DICOM files or a ZIP anywhere on this window. They are encrypted as they come in.</p>
        <div>
          <button type="button" className="button primary" onClick={() => void chooseAndImport('folder')}>
            Import folder…
          </button>
          <button type="button" className="button" onClick={() => void chooseAndImport('files')}>
            Import files…
          </button>
        </div>
      </div>
    </div>
  )
}

function SearchField() {
  const search = useWorklist((state) => state.search)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (
        (event.key === 'f' && (event.ctrlKey || event.metaKey)) ||
        (event.key === '/' && event.target === document.body)
      ) {
        event.preventDefault()
        field.current?.focus()
      }
    }
    window.addEventListener('keydown', focus)
    return () => window.removeEventListener('keydown', focus)
  }, [])
  return (
    <label className="search">
      <Search size={15} aria-hidden />
      <span className="visually-hidden">Search</span>
      <input
        ref={field}
        type="search"
        placeholder="Patient, ID, accession or description"
        value={search}
        data-testid="search"
        spellCheck={false}
        onChange={(event) => setSearch(event.target.value)}
      />
    </label>
  )
}

/** The study list: what a person sees first and comes back to. */
export function Worklist() {
  const { total, loadedOnce, trouble, search, studies } = useWorklist()
  useEffect(() => {
    void reload()
    let timer: number | undefined
    const off = onAppEvent((event) => {
      if (event.type === 'findings-changed') void loadRuns(event.studyInstanceUID, true)
      if (event.type !== 'studies-changed') return
      // An import tells of every study it touches; once in a while is enough to follow it.
      window.clearTimeout(timer)
      timer = window.setTimeout(() => void reload(), 250)
    })
    return () => {
      window.clearTimeout(timer)
      off()
    }
  }, [])
  const empty = loadedOnce && total === 0 && search.trim() === ''
  return (
    <div className="worklist" data-testid="worklist">
      <section className="worklist-main">
        <div className="worklist-bar">
          <h1>Studies</h1>
          <span className="faint" data-testid="study-count">
            {loadedOnce ? countText(total, 'study', 'studies') : ''}
          </span>
          <SearchField />
        </div>
        <div className="worklist-body">
          {trouble !== null ? (
            <div className="fill-centre">
              <TroubleNote {...trouble} onRetry={() => void reload()} />
            </div>
          ) : empty ? (
            <Empty />
          ) : loadedOnce && studies.length === 0 ? (
            <div className="fill-centre faint" data-testid="no-match">
              Nothing matches “{search}”.
            </div>
          ) : (
            <StudyTable />
          )}
        </div>
      </section>
      {!empty && <PreviewPanel />}
    </div>
  )
}
