import { X } from 'lucide-react'
import { type ReactNode, useEffect, useRef } from 'react'

interface IconButtonProps {
  label: string
  /** Key that does the same, shown in the tooltip. */
  keys?: string
  pressed?: boolean
  disabled?: boolean
  side?: 'left' | 'right'
  testId?: string
  onClick: () => void
  children: ReactNode
}

/** A button that is a picture: its name is in the tooltip and read aloud. */
export function IconButton({ label, keys, pressed, disabled, side, testId, onClick, children }: IconButtonProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      aria-pressed={pressed}
      aria-keyshortcuts={keys}
      data-tip={keys === undefined ? label : `${label}  ·  ${keys}`}
      data-tip-side={side}
      data-testid={testId}
      disabled={disabled}
      onClick={(event) => {
        onClick()
        // Keys belong to the images again, not to the button last clicked.
        if (event.detail > 0) event.currentTarget.blur()
      }}
    >
      {children}
    </button>
  )
}

export function Bar({ value, label }: { value: number | null; label: string }) {
  const fill = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (fill.current !== null) fill.current.style.width = value === null ? '' : `${Math.round(value * 100)}%`
  }, [value])
  return (
    <div
      className={value === null ? 'bar unknown' : 'bar'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === null ? undefined : Math.round(value * 100)}
    >
      <div ref={fill} />
    </div>
  )
}

interface SliderProps {
  label: string
  value: number
  onChange: (value: number) => void
  testId?: string
}

/** 0–1. */
export function Slider({ label, value, onChange, testId }: SliderProps) {
  return (
    <input
      type="range"
      className="slider"
      min={0}
      max={100}
      aria-label={label}
      data-testid={testId}
      value={Math.round(value * 100)}
      onChange={(event) => onChange(Number(event.target.value) / 100)}
    />
  )
}

/** What each code lets a person do next. */
const NEXT_STEPS: [prefix: string, step: string][] = [
  ['vault/', 'Unlock the vault, or run “alcove doctor” to see what is missing.'],
  ['store/full', 'Free some disk space and try again.'],
  ['store/', 'Run “alcove doctor”; the other studies are not affected.'],
  ['not-found', 'Go back to the study list; it may have been deleted.'],
  ['geometry/', 'Choose the stack layout.'],
  ['dicom/', 'The other series of the study can still be read.'],
  ['auth/', 'Start the workstation again to get a new link.'],
  ['inference/', 'Try again, or choose another provider in the settings.'],
]

export function nextStep(code: string): string {
  return (
    NEXT_STEPS.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'Try again; if it stays, “alcove doctor” tells more.'
  )
}

export function TroubleNote({ code, message, onRetry }: { code: string; message: string; onRetry?: () => void }) {
  return (
    <div className="trouble" role="alert" data-testid="trouble" data-code={code}>
      <h2>{message}</h2>
      <p>{nextStep(code)}</p>
      <code>{code}</code>
      {onRetry !== undefined && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}

interface DialogProps {
  title: string
  onClose: () => void
  children: ReactNode
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const before = document.activeElement
    box.current?.focus()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <div
      className="dialog-ground"
      onMouseDown={(event) => {
        if (event.target === event.currentTarget) onClose()
      }}
    >
      <div
        ref={box}
        className="dialog"
        role="dialog"
        aria-modal="true"
        aria-label={title}
        tabIndex={-1}
        onKeyDown={(event) => {
          event.stopPropagation()
          if (event.key === 'Escape') onClose()
        }}
      >
        <header>
          <h2>{title}</h2>
          <IconButton label="Close" side="left" onClick={onClose}>
            <X size={16} />
          </IconButton>
        </header>
        <div className="dialog-body">{children}</div>
      </div>
    </div>
  )
}
