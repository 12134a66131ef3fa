/** 1536 → "1.5 KiB". */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]!}`
}

export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number} ${number === 1 ? singular : plural}`
}

/** "20240131" → "2024-01-31"; anything else as it is. */
export function dateText(date: string | null): string {
  const parts = /^(\d{4})(\d{2})(\d{2})$/.exec(date ?? '')
  return parts === null ? (date ?? '') : `${parts[1]}-${parts[2]}-${parts[3]}`
}

/** Lines of at most `width` characters, broken at spaces; a longer word stands alone. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

const WIDEST_CELL = 46

/** Columns padded to their widest cell, long cells wrapped; those in `right` are right-aligned. */
export function table(head: string[], rows: string[][], right: readonly number[] = []): string {
  const wrapped = rows.flatMap((row) => {
    // UIDs and digests have no spaces and stay whole, so that they can be copied.
    const cells = row.map((cell) => wrap(cell, WIDEST_CELL))
    const height = Math.max(1, ...cells.map((lines) => lines.length))
    return Array.from({ length: height }, (_, line) => cells.map((lines) => lines[line] ?? ''))
  })
  const widths = head.map((title, column) =>
    Math.max(title.length, ...wrapped.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: string[]): string =>
    cells
      .map((cell, column) => (right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...wrapped.map(line)].join('\n')
}
