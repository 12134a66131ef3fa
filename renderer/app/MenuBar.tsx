import { ArrowLeft } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { chooseAndImport } from '../features/import/choose.ts'
import { useReading } from '../features/reading/store.ts'
import { dicomDate, personName } from '../ui/format.ts'
import { openDialog } from './app-store.ts'
import { goTo, type Page } from './router.ts'
import './menu.css'

interface Entry {
  label: string
  keys?: string
  testId?: string
  run: () => void
}

function Menu({ name, entries }: { name: string; entries: Entry[] }) {
  const [open, setOpen] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    box.current?.querySelector<HTMLButtonElement>('[role=menuitem]')?.focus()
    const outside = (event: PointerEvent): void => {
      if (!(event.target instanceof Node) || box.current?.contains(event.target) !== true) setOpen(false)
    }
    window.addEventListener('pointerdown', outside)
    return () => window.removeEventListener('pointerdown', outside)
  }, [open])
  const move = (step: number): void => {
    const items = [...(box.current?.querySelectorAll<HTMLButtonElement>('[role=menuitem]') ?? [])]
    const at = items.indexOf(document.activeElement as HTMLButtonElement)
    items[(at + step + items.length) % items.length]?.focus()
  }
  return (
    <div
      className="menu"
      ref={box}
      onKeyDown={(event) => {
        if (!open) return
        event.stopPropagation()
        if (event.key === 'Escape') setOpen(false)
        if (event.key === 'ArrowDown') move(1)
        if (event.key === 'ArrowUp') move(-1)
      }}
    >
      <button
        type="button"
        className="menu-name"
        aria-haspopup="menu"
        aria-expanded={open}
        data-testid={`menu-${name.toLowerCase()}`}
        onClick={() => setOpen(!open)}
      >
        {name}
      </button>
      {open && (
        <div className="menu-list" role="menu" aria-label={name}>
          {entries.map((entry) => (
            <button
              key={entry.label}
              type="button"
              role="menuitem"
              data-testid={entry.testId}
              onClick={() => {
                setOpen(false)
                entry.run()
              }}
            >
              <span>{entry.label}</span>
              {entry.keys !== undefined && <kbd>{entry.keys}</kbd>}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden>
      <path d="M7 26V14a9 9 0 0 1 18 0v12" fill="none" strokeWidth="2.8" strokeLinecap="round" />
      <circle cx="16" cy="17" r="3.6" />
    </svg>
  )
}

function StudyTitle(): ReactNode {
  const study = useReading((state) => state.study)
  if (study === null) return null
  const about = [study.patientId, dicomDate(study.studyDate), study.description].filter((part) => part)
  return (
    <div className="study-title" data-testid="study-title">
      <b>{personName(study.patientName)}</b>
      <span>{about.join('  ·  ')}</span>
    </div>
  )
}

export function MenuBar({ page }: { page: Page }) {
  return (
    <header className="menubar">
      <button
        type="button"
        className="brand"
        aria-label="Alcove, study list"
        onClick={() => goTo({ name: 'worklist' })}
      >
        <Mark />
        <span>Alcove</span>
      </button>
      <nav aria-label="Menu">
        <Menu
          name="File"
          entries={[
            {
              label: 'Import files…',
              testId: 'import-files',
              run: () => void chooseAndImport('files'),
            },
            { label: 'Import folder…', testId: 'import-folder', run: () => void chooseAndImport('folder') },
          ]}
        />
        <Menu
          name="View"
          entries={[
            { label: 'Study list', run: () => goTo({ name: 'worklist' }) },
            {
              label: 'Full screen',
              keys: 'F11',
              run: () =>
                void (
                  document.fullscreenElement === null
                    ? document.documentElement.requestFullscreen()
                    : document.exitFullscreen()
                ).catch(() => undefined),
            },
            { label: 'Settings…', run: () => openDialog('settings') },
          ]}
        />
        <Menu
          name="Help"
          entries={[
            { label: 'Keyboard shortcuts', keys: '?', run: () => openDialog('shortcuts') },
            { label: 'About Alcove', run: () => openDialog('about') },
          ]}
        />
      </nav>
      {page.name === 'study' && (
        <>
          <button type="button" className="back" data-testid="back" onClick={() => goTo({ name: 'worklist' })}>
            <ArrowLeft size={14} aria-hidden /> Studies
          </button>
          <StudyTitle />
        </>
      )}
    </header>
  )
}
