import { useEffect, useState } from 'react'
import type { Settings } from '#common/contract/settings.ts'
import { Dialog } from '../ui/controls.tsx'
import { api } from './api.ts'
import { openDialog, useApp } from './app-store.ts'

const KEYS: [string, string][] = [
  ['↑ ↓', 'Previous, next image'],
  ['Home  End', 'First, last image'],
  ['PgUp  PgDn', 'Previous, next series'],
  ['← →', 'Previous, next viewport'],
  ['1 – 9', 'Window presets'],
  ['Space', 'Reset view'],
  ['Z', 'Zoom tool'],
  ['+  −  =', 'Zoom in, out, fit'],
  ['R  L', 'Rotate right, left'],
  ['H  V', 'Flip horizontally, vertically'],
  ['I', 'Invert'],
  ['C', 'Cine'],
  ['W', 'Window tool'],
  ['X', 'Crosshair'],
  ['D  A', 'Length, angle'],
  ['O  T', 'Ellipse, rectangle'],
  ['Del', 'Delete measurement'],
  ['S', 'Show or hide segments'],
  [',  .', 'Previous, next layout'],
  ['Esc', 'Back to window tool'],
]

function SettingsPanel() {
  const [settings, setSettings] = useState<Settings | null>(null)
  useEffect(() => {
    void api
      .getSettings()
      .then(setSettings)
      .catch(() => undefined)
  }, [])
  if (settings === null) return <div className="spinner" role="status" aria-label="Reading the settings" />
  const choose = (renderBackend: Settings['renderBackend']): void => {
    void api
      .patchSettings({ body: { renderBackend } })
      .then(setSettings)
      .catch(() => undefined)
  }
  return (
    <div className="setting">
      <h3>Rendering of stacks and planes</h3>
      <p>Automatic takes the graphics card where there is one and the processor where not. Takes effect on reload.</p>
      <div className="segmented">
        {(['auto', 'gpu', 'cpu'] as const).map((value) => (
          <button
            key={value}
            type="button"
            aria-pressed={settings.renderBackend === value}
            onClick={() => choose(value)}
          >
            {value === 'auto' ? 'Automatic' : value === 'gpu' ? 'Graphics card' : 'Processor'}
          </button>
        ))}
      </div>
    </div>
  )
}

export function Dialogs() {
  const { dialog, info } = useApp()
  const close = (): void => openDialog(null)
  if (dialog === 'shortcuts')
    return (
      <Dialog title="Keyboard shortcuts" onClose={close}>
        <div className="keys">
          {KEYS.map(([keys, what]) => (
            <div key={what}>
              <span>{what}</span>
              <kbd>{keys}</kbd>
            </div>
          ))}
        </div>
      </Dialog>
    )
  if (dialog === 'settings')
    return (
      <Dialog title="Settings" onClose={close}>
        <SettingsPanel />
      </Dialog>
    )
  if (dialog === 'about')
    return (
      <Dialog title="About Alcove" onClose={close}>
        <p>
          Alcove {info?.version}: a reading room for medical images with local AI. Studies stay encrypted on this
          machine; models run here.
        </p>
        <p>{info?.notice ?? 'Research software, not for clinical use.'}</p>
      </Dialog>
    )
  return null
}
