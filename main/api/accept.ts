import { AlcoveError } from '#common/errors.ts'

export interface MediaRange {
  /** "type/subtype", lower case, `*` allowed. */
  media: string
  /** Parameters, names in lower case, quotes taken off; `q` is not among them. */
  parameters: Record<string, string>
  q: number
}

/** Splits at `separator` outside of quotes. */
function splitQuoted(text: string, separator: string): string[] {
  const parts: string[] = []
  let quoted = false
  let current = ''
  for (const character of text) {
    if (character === '"') quoted = !quoted
    if (character === separator && !quoted) {
      parts.push(current)
      current = ''
    } else current += character
  }
  parts.push(current)
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

/** One media type with its parameters (RFC 9110 section 8.3.1). */
export function parseMediaType(text: string): MediaRange {
  const [media = '', ...rest] = splitQuoted(text, ';')
  const parameters: Record<string, string> = {}
  for (const pair of rest) {
    const at = pair.indexOf('=')
    if (at < 0) continue
    const value = pair.slice(at + 1).trim()
    parameters[pair.slice(0, at).trim().toLowerCase()] = value.replace(/^"(.*)"$/, '$1')
  }
  const q = Number(parameters['q'] ?? 1)
  delete parameters['q']
  return { media: media.toLowerCase(), parameters, q: Number.isFinite(q) ? q : 0 }
}

/**
 * What the caller takes, best first. The `accept` query parameter (PS3.18 section 8.3.3.1) wins over the header.
 * Nothing given means anything.
 */
export function acceptedTypes(request: Request): MediaRange[] {
  const url = new URL(request.url)
  const text = url.searchParams.get('accept') ?? request.headers.get('Accept') ?? '*/*'
  const ranges = splitQuoted(text, ',')
    .map(parseMediaType)
    .filter((range) => range.q > 0)
  return ranges.sort((left, right) => right.q - left.q)
}

export function mediaMatches(range: string, media: string): boolean {
  if (range === '*/*' || range === '*' || range === media) return true
  return range.endsWith('/*') && media.startsWith(range.slice(0, -1))
}

/** The first of `offered` the caller takes, by the caller's preference. @throws request/not-acceptable */
export function negotiate<Media extends string>(request: Request, offered: readonly Media[]): Media {
  for (const range of acceptedTypes(request)) {
    const match = offered.find((media) => mediaMatches(range.media, media))
    if (match !== undefined) return match
  }
  throw new AlcoveError('request/not-acceptable', `This address answers with ${offered.join(' or ')}.`)
}
