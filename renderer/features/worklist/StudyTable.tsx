import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ArrowUp, Sparkles } from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react'
import type { StudySummary } from '#common/contract/studies.ts'
import { goTo } from '../../app/router.ts'
import { dicomDate, dicomTime, personName } from '../../ui/format.ts'
import { aiStatus, loadMore, loadRuns, select, type SortKey, sortBy, useWorklist } from './store.ts'
import { Thumbnail } from './Thumbnail.tsx'

const ROW_HEIGHT = 48

interface Column {
  id: string
  title: string
  sort?: SortKey
}

const COLUMNS: Column[] = [
  { id: 'picture', title: '' },
  { id: 'patient', title: 'Patient', sort: 'patientName' },
  { id: 'id', title: 'ID', sort: 'patientId' },
  { id: 'born', title: 'Born / sex' },
  { id: 'date', title: 'Study date', sort: 'studyDate' },
  { id: 'description', title: 'Description', sort: 'description' },
  { id: 'modalities', title: 'Modality', sort: 'modalities' },
  { id: 'accession', title: 'Accession' },
  { id: 'count', title: 'Series / img' },
  { id: 'ai', title: 'AI' },
]

function Header() {
  const { sort, descending } = useWorklist()
  return (
    <div className="study-row head" role="row">
      {COLUMNS.map((column) => (
        <div
          key={column.id}
          role="columnheader"
          className={`cell ${column.id}`}
          aria-sort={column.sort === sort ? (descending ? 'descending' : 'ascending') : undefined}
        >
          {column.sort === undefined ? (
            column.title
          ) : (
            <button type="button" data-testid={`sort-${column.sort}`} onClick={() => sortBy(column.sort!)}>
              {column.title}
              {column.sort === sort &&
                (descending ? <ArrowDown size={12} aria-hidden /> : <ArrowUp size={12} aria-hidden />)}
            </button>
          )}
        </div>
      ))}
    </div>
  )
}

/** Objects that describe images, not images: told by a number when there is no room. */
const DERIVED = new Set(['RTSTRUCT', 'RTPLAN', 'RTDOSE', 'SEG', 'SR', 'PR', 'KO', 'DOC', 'ECG'])

function Modalities({ list }: { list: string[] }) {
  const images = list.filter((modality) => !DERIVED.has(modality))
  const shown = (images.length > 0 ? images : list).slice(0, 3)
  const rest = list.filter((modality) => !shown.includes(modality))
  return (
    <>
      {shown.map((modality) => (
        <span key={modality} className="chip">
          {modality}
        </span>
      ))}
      {rest.length > 0 && (
        <span className="faint" title={rest.join(', ')}>
          +{rest.length}
        </span>
      )}
    </>
  )
}

function AiCell({ studyUid }: { studyUid: string }) {
  const runs = useWorklist((state) => state.runs[studyUid])
  useEffect(() => void loadRuns(studyUid), [studyUid])
  const status = aiStatus(runs)
  if (status.kind === 'none') return <span className="faint">–</span>
  if (status.kind === 'clear') return <span className="chip">No finding</span>
  return (
    <span className={status.pending > 0 ? 'chip accent' : 'chip'}>
      <Sparkles size={11} aria-hidden /> {status.count} {status.pending > 0 ? 'to review' : 'reviewed'}
    </span>
  )
}

function Row({ study, selected, index }: { study: StudySummary; selected: boolean; index: number }) {
  return (
    <div
      className="study-row"
      role="row"
      aria-selected={selected}
      aria-rowindex={index + 2}
      id={`study-${study.studyInstanceUID}`}
      data-testid="study-row"
      data-study={study.studyInstanceUID}
      onClick={() => select(study.studyInstanceUID)}
      onDoubleClick={() => goTo({ name: 'study', studyUid: study.studyInstanceUID })}
    >
      <div role="gridcell" className="cell picture">
        {study.modalities.some((modality) => !DERIVED.has(modality)) ? (
          <Thumbnail resource={`studies/${study.studyInstanceUID}`} label="" />
        ) : (
          <span className="thumb none" />
        )}
      </div>
      <div role="gridcell" className="cell patient">
        {personName(study.patientName)}
      </div>
      <div role="gridcell" className="cell id">
        {study.patientId}
      </div>
      <div role="gridcell" className="cell born">
        {[dicomDate(study.patientBirthDate), study.patientSex].filter((part) => part).join('  ')}
      </div>
      <div role="gridcell" className="cell date">
        {dicomDate(study.studyDate)} <span className="faint">{dicomTime(study.studyTime)}</span>
      </div>
      <div role="gridcell" className="cell description" title={study.description ?? undefined}>
        {study.description ?? <span className="faint">No description</span>}
      </div>
      <div role="gridcell" className="cell modalities">
        <Modalities list={study.modalities} />
      </div>
      <div role="gridcell" className="cell accession">
        {study.accessionNumber}
      </div>
      <div role="gridcell" className="cell count">
        {study.series} <span className="faint">/</span> {study.instances.toLocaleString('en')}
      </div>
      <div role="gridcell" className="cell ai">
        <AiCell studyUid={study.studyInstanceUID} />
      </div>
    </div>
  )
}

/** The list itself: only the rows in sight exist, so ten thousand studies scroll like ten. */
export function StudyTable() {
  const studies = useWorklist((state) => state.studies)
  const total = useWorklist((state) => state.total)
  const selected = useWorklist((state) => state.selected)
  const scroller = useRef<HTMLDivElement>(null)
  // The virtualizer is made to change under the same identity; nothing here is memoised on it.
  // oxlint-disable-next-line react/incompatible-library
  const rows = useVirtualizer({
    count: studies.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  })
  const visible = rows.getVirtualItems()
  const lastVisible = visible.at(-1)?.index ?? 0
  useEffect(() => {
    if (lastVisible > studies.length - 60) void loadMore()
  }, [lastVisible, studies.length])

  const keyDown = (event: KeyboardEvent): void => {
    const at = studies.findIndex((study) => study.studyInstanceUID === selected)
    const move = (to: number): void => {
      const bounded = Math.max(0, Math.min(studies.length - 1, to))
      const study = studies[bounded]
      if (study === undefined) return
      event.preventDefault()
      select(study.studyInstanceUID)
      rows.scrollToIndex(bounded)
    }
    if (event.key === 'ArrowDown') move(at + 1)
    else if (event.key === 'ArrowUp') move(at - 1)
    else if (event.key === 'Home') move(0)
    else if (event.key === 'End') move(studies.length - 1)
    else if (event.key === 'PageDown') move(at + 10)
    else if (event.key === 'PageUp') move(at - 10)
    else if (event.key === 'Enter' && selected !== null) goTo({ name: 'study', studyUid: selected })
  }

  return (
    <div
      className="study-table"
      role="grid"
      aria-label="Studies"
      aria-rowcount={total + 1}
      aria-activedescendant={selected === null ? undefined : `study-${selected}`}
      tabIndex={0}
      data-testid="study-table"
      data-total={total}
      onKeyDown={keyDown}
    >
      <Header />
      <div className="study-scroll" ref={scroller} role="rowgroup">
        <VirtualSpace height={rows.getTotalSize()}>
          {visible.map((item) => {
            const study = studies[item.index]
            if (study === undefined) return null
            return (
              <VirtualRow key={study.studyInstanceUID} top={item.start}>
                <Row study={study} index={item.index} selected={study.studyInstanceUID === selected} />
              </VirtualRow>
            )
          })}
        </VirtualSpace>
      </div>
    </div>
  )
}

function VirtualSpace({ height, children }: { height: number; children: ReactNode }) {
  return (
    <div className="virtual-space" role="presentation" style={{ height }}>
      {children}
    </div>
  )
}

function VirtualRow({ top, children }: { top: number; children: ReactNode }) {
  return (
    <div className="virtual-row" role="presentation" style={{ transform: `translateY(${top}px)` }}>
      {children}
    </div>
  )
}
