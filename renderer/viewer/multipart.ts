/** One part of a multipart/related body (RFC 2387). */
export interface Part {
  contentType: string
  bytes: Uint8Array
}

const CR = 13
const LF = 10
const DASH = 45

function indexOf(haystack: Uint8Array, needle: Uint8Array, from: number): number {
  const first = needle[0]!
  let at = haystack.indexOf(first, from)
  while (at >= 0 && at + needle.length <= haystack.length) {
    let match = 1
    while (match < needle.length && haystack[at + match] === needle[match]) match++
    if (match === needle.length) return at
    at = haystack.indexOf(first, at + 1)
  }
  return -1
}

export function boundaryOf(contentType: string): string | null {
  return /boundary="?([^";]+)"?/i.exec(contentType)?.[1] ?? null
}

/** Media type parameter, e.g. `transfer-syntax`. */
export function parameter(contentType: string, name: string): string | null {
  const found = new RegExp(`;\\s*${name}="?([^";]+)"?`, 'i').exec(contentType)
  return found?.[1]?.trim() ?? null
}

/** Splits a body into parts without copying. A Content-Length inside a part is trusted to skip scanning pixels. */
export function parseMultipart(body: Uint8Array, boundary: string): Part[] {
  const encoder = new TextEncoder()
  const decoder = new TextDecoder('latin1')
  const delimiter = encoder.encode(`--${boundary}`)
  const blankLine = Uint8Array.of(CR, LF, CR, LF)
  const parts: Part[] = []
  let at = indexOf(body, delimiter, 0)
  while (at >= 0) {
    const start = at + delimiter.length
    if (body[start] === DASH && body[start + 1] === DASH) break
    const headersEnd = indexOf(body, blankLine, start)
    if (headersEnd < 0) break
    const headers = decoder.decode(body.subarray(start, headersEnd))
    const contentStart = headersEnd + 4
    const declared = /content-length:\s*(\d+)/i.exec(headers)?.[1]
    const guess = declared === undefined ? contentStart : contentStart + Number(declared)
    const next = indexOf(body, delimiter, guess)
    const end = declared === undefined ? (next < 0 ? body.length : next - 2) : contentStart + Number(declared)
    parts.push({
      contentType: /content-type:\s*([^\r\n]+)/i.exec(headers)?.[1]?.trim() ?? 'application/octet-stream',
      bytes: body.subarray(contentStart, end),
    })
    at = next
  }
  return parts
}
