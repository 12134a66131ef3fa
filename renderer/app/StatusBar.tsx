import { Cpu, Lock, LockOpen } from 'lucide-react'
import { useReading } from '../features/reading/store.ts'
import { useApp } from './app-store.ts'

/** The line every screen ends with: what this software is not, and where the data lie. */
export function StatusBar() {
  const info = useApp((state) => state.info)
  const planar = useReading((state) => state.planar)
  return (
    <footer className="statusbar" data-testid="statusbar">
      <strong data-testid="notice">{info?.notice ?? 'Research software, not for clinical use'}</strong>
      <span className="grow" />
      {planar !== null && (
        <span className="item" data-testid="render-backend" data-backend={planar}>
          <Cpu size={12} aria-hidden /> {planar === 'cpu' ? 'Software rendering' : 'GPU rendering'}
        </span>
      )}
      {info !== null && (
        <>
          <span className="item" data-testid="vault-state" data-state={info.vault.state}>
            {info.vault.state === 'unlocked' ? <LockOpen size={12} aria-hidden /> : <Lock size={12} aria-hidden />}
            {info.vault.state === 'unlocked' ? 'Encrypted, unlocked' : 'Vault locked'} · {info.vault.provider}
          </span>
          <span className="item">{info.dataDir}</span>
          <span className="item">
            {info.name} {info.version}
          </span>
        </>
      )}
    </footer>
  )
}
