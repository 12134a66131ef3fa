interface MeterProps {
  /** 0–1. */
  value: number
  positive: boolean
  label: string
}

export function Meter({ value, positive, label }: MeterProps) {
  return (
    <span
      className={positive ? 'meter' : 'meter low'}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(value * 100)}
    >
      <span style={{ width: `${Math.round(value * 100)}%` }} />
    </span>
  )
}
