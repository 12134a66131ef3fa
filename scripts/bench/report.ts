/** One measured figure. `aim` is the bound we set ourselves; a missed aim is shown, never hidden. */
export type Figure =
  | { name: string; value: number; unit: string; aim?: { atLeast: number } | { atMost: number } }
  | { name: string; skipped: string }

function verdict(figure: Figure): string {
  if ('skipped' in figure || figure.aim === undefined) return ''
  const met = 'atLeast' in figure.aim ? figure.value >= figure.aim.atLeast : figure.value <= figure.aim.atMost
  const aim = 'atLeast' in figure.aim ? `≥ ${figure.aim.atLeast}` : `≤ ${figure.aim.atMost}`
  return `${met ? 'met' : 'MISSED'} (aim ${aim})`
}

function digits(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** The figures as an aligned table for a terminal. */
export function table(figures: readonly Figure[]): string {
  const width = Math.max(...figures.map(({ name }) => name.length))
  return figures
    .map((figure) =>
      'skipped' in figure
        ? `${figure.name.padEnd(width)}  skipped: ${figure.skipped}`
        : `${figure.name.padEnd(width)}  ${digits(figure.value).padStart(7)} ${figure.unit.padEnd(6)} ${verdict(figure)}`,
    )
    .join('\n')
}
