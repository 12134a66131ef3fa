import { type LayoutId } from './layouts.ts'

/** A tiny drawing of a layout, 18 × 14. */
const LINES: Record<LayoutId, string> = {
  stack: '',
  pair: 'M9 1v12',
  quad: 'M9 1v12M1 7h16',
  mpr: 'M11 1v12M11 7h6',
  mpr3d: 'M9 1v12M1 7h16',
  mip: '',
  volume: '',
  fusion: 'M9 1v12M1 7h16',
}

export function LayoutPicture({ id }: { id: LayoutId }) {
  return (
    <svg width="20" height="16" viewBox="0 0 18 14" fill="none" stroke="currentColor" strokeWidth="1.2" aria-hidden>
      <rect x="0.8" y="0.8" width="16.4" height="12.4" rx="1.6" />
      <path d={LINES[id]} />
      {id === 'mpr' && (
        <>
          <path d="M6 3.2v7.6" stroke="#ffd34d" strokeWidth="1" />
          <path d="M3 7h6" stroke="#5ddc83" strokeWidth="1" />
        </>
      )}
      {id === 'mpr3d' && <path d="m13 2.2 2.2 1.1v2.2L13 6.4l-2.2-1V3.3z" strokeWidth="0.9" />}
      {id === 'volume' && <path d="m9 3 4 2v4.4l-4 2-4-2V5zM5 5l4 2 4-2M9 7v4.2" strokeWidth="1" />}
      {id === 'mip' && (
        <text x="9" y="9.4" textAnchor="middle" fontSize="6.4" fontWeight="700" fill="currentColor" stroke="none">
          MIP
        </text>
      )}
      {id === 'fusion' && (
        <>
          <circle cx="5" cy="4" r="1.6" fill="#ef8a3d" stroke="none" />
          <circle cx="5" cy="10" r="1.6" fill="#ef8a3d" stroke="none" />
          <circle cx="13" cy="10" r="1.6" fill="#ef8a3d" stroke="none" />
        </>
      )}
    </svg>
  )
}
