/** "Doe^John^^Dr" → "Doe, John"; the parts of PN are family, given, middle, prefix, suffix (PS3.5 6.2.1). */
export function personName(name: string | null): string {
  if (name === null) return 'Unnamed'
  const [family = '', given = '', middle = ''] = (name.split('=')[0] ?? '').split('^').map((part) => part.trim())
  const rest = [given, middle].filter((part) => part !== '').join(' ')
  const shown = [family, rest].filter((part) => part !== '').join(', ')
  return shown === '' ? 'Unnamed' : shown
}

/** YYYYMMDD → YYYY-MM-DD; anything else as it is. */
export function dicomDate(date: string | null): string {
  if (date === null) return ''
  const match = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(date.trim())
  return match === null ? date : `${match[1]}-${match[2]}-${match[3]}`
}

/** HHMMSS.ffffff → HH:MM. */
export function dicomTime(time: string | null): string {
  const match = time === null ? null : /^(\d{2}):?(\d{2})/.exec(time.trim())
  return match === null ? '' : `${match[1]}:${match[2]}`
}

export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = -1
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`
}

export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/** Age in years at the study, as "067Y" would say; null when either date is not known. */
export function ageAt(birth: string | null, study: string | null): string | null {
  const parse = (date: string | null): [number, number] | null => {
    const match = date === null ? null : /^(\d{4})(\d{2})(\d{2})$/.exec(date)
    return match === null ? null : [Number(match[1]), Number(match[2]) * 100 + Number(match[3])]
  }
  const from = parse(birth)
  const to = parse(study)
  if (from === null || to === null || to[0] < from[0]) return null
  return `${to[0] - from[0] - (to[1] < from[1] ? 1 : 0)} y`
}
