/**
 * Specific Character Set (0008,0005): PS3.3 C.12.1.1.2 and PS3.5 section 6.1. Text comes out as Unicode; bytes that a
 * character set does not define become U+FFFD and never an error, for a wrong name must not keep an image from opening.
 */

/** What Buffer offers beyond Uint8Array and we need here: undecorated Latin-1. */
type Bytes = Buffer

type Decode = (bytes: Bytes) => string

export interface TextReader {
  /** The whole value (backslashes that are part of two-byte characters do not separate values). */
  decode: Decode
  /** Defined term used, for tests and messages. */
  name: string
}

const latin1: Decode = (bytes) => bytes.toString('latin1', 0, bytes.length)

function whatwg(label: string): Decode {
  const decoder = new TextDecoder(label)
  return (bytes) => decoder.decode(bytes)
}

/** Single-byte sets by their ISO registration number: WHATWG label, or null for real Latin-1. */
const SINGLE_BYTE: Readonly<Record<string, string | null>> = {
  6: null,
  100: null,
  101: 'iso-8859-2',
  109: 'iso-8859-3',
  110: 'iso-8859-4',
  144: 'iso-8859-5',
  127: 'iso-8859-6',
  126: 'iso-8859-7',
  138: 'iso-8859-8',
  148: 'windows-1254',
  203: 'iso-8859-15',
  166: 'windows-874',
  13: 'shift_jis',
}

/** Without code extensions these take the whole value. */
const WHOLE_VALUE: Readonly<Record<string, string>> = { 192: 'utf-8', GB18030: 'gb18030', GBK: 'gbk' }

/** Escape sequences of PS3.3 tables C.12-3 and C.12-4 (after the ESC byte) → which half they set and to what. */
const ESCAPES: Readonly<Record<string, { half: 'g0' | 'g1'; set: string }>> = {
  '(B': { half: 'g0', set: 'ascii' },
  '(J': { half: 'g0', set: 'ascii' },
  ')I': { half: 'g1', set: 'shift_jis' },
  $B: { half: 'g0', set: 'jis0208' },
  '$@': { half: 'g0', set: 'jis0208' },
  '$(D': { half: 'g0', set: 'jis0212' },
  '$)C': { half: 'g1', set: 'euc-kr' },
  '$)A': { half: 'g1', set: 'gbk' },
  '-A': { half: 'g1', set: 'latin1' },
  '-B': { half: 'g1', set: 'iso-8859-2' },
  '-C': { half: 'g1', set: 'iso-8859-3' },
  '-D': { half: 'g1', set: 'iso-8859-4' },
  '-L': { half: 'g1', set: 'iso-8859-5' },
  '-G': { half: 'g1', set: 'iso-8859-6' },
  '-F': { half: 'g1', set: 'iso-8859-7' },
  '-H': { half: 'g1', set: 'iso-8859-8' },
  '-M': { half: 'g1', set: 'windows-1254' },
  '-b': { half: 'g1', set: 'iso-8859-15' },
  '-T': { half: 'g1', set: 'windows-874' },
}

const ESC = 0x1b
const decoders = new Map<string, Decode>()

function decoderFor(label: string): Decode {
  let decode = decoders.get(label)
  if (decode === undefined) {
    decode = label === 'latin1' || label === 'ascii' ? latin1 : whatwg(label)
    decoders.set(label, decode)
  }
  return decode
}

/** "ISO_IR 100", "ISO 2022 IR 100", "ISO-IR 100", "iso_ir_100" → "100"; "GB18030" → "GB18030". */
function termNumber(term: string): string {
  const upper = term.trim().toUpperCase()
  if (upper === '') return '6'
  if (upper === 'UTF-8' || upper === 'UTF8') return '192'
  const registered = /IR[ _-]*(\d+)$/.exec(upper)
  return registered?.[1] ?? upper
}

/** Undeclared text: UTF-8 where it is valid UTF-8 (what modern devices write by mistake), otherwise Latin-1. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const undeclared: Decode = (bytes) => {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return latin1(bytes)
  }
}

export const DEFAULT_TEXT_READER: TextReader = { decode: undeclared, name: '' }

/** One run of bytes between escapes. G0 serves bytes below 0x80, G1 those above (PS3.5 section 6.1.2.5). */
function decodeRun(bytes: Bytes, g0: string, g1: string): string {
  if (g0 === 'jis0208' || g0 === 'jis0212') {
    // The same code points in EUC-JP: both bytes with the high bit set, JIS X 0212 after a single shift three.
    const prefix = g0 === 'jis0212'
    const euc: number[] = []
    for (let i = 0; i + 1 < bytes.length; i += 2) {
      if (prefix) euc.push(0x8f)
      euc.push((bytes[i] ?? 0) | 0x80, (bytes[i + 1] ?? 0) | 0x80)
    }
    return decoderFor('euc-jp')(Buffer.from(euc))
  }
  return decoderFor(g1)(bytes)
}

function isDelimiter(byte: number, personName: boolean): boolean {
  return (
    byte === 0x5c ||
    byte === 0x0a ||
    byte === 0x0c ||
    byte === 0x0d ||
    byte === 0x09 ||
    (personName && (byte === 0x5e || byte === 0x3d))
  )
}

function decodeIso2022(bytes: Bytes, initialG1: string): string {
  let text = ''
  let g0 = 'ascii'
  let g1 = initialG1
  let start = 0
  let i = 0
  const flush = (end: number): void => {
    if (end > start) text += decodeRun(bytes.subarray(start, end), g0, g1)
  }
  while (i < bytes.length) {
    const byte = bytes[i] ?? 0
    if (byte === ESC) {
      flush(i)
      const three = latin1(bytes.subarray(i + 1, i + 4))
      const sequence = three in ESCAPES ? three : three.slice(0, 2)
      const escape = ESCAPES[sequence]
      if (escape === undefined) {
        start = i + 1
        i = start
        continue
      }
      if (escape.half === 'g0') g0 = escape.set
      else g1 = escape.set
      i += 1 + sequence.length
      start = i
      continue
    }
    if (g0 === 'jis0208' || g0 === 'jis0212') {
      i += 2
      continue
    }
    if (isDelimiter(byte, true)) {
      // Delimiters end every designation (PS3.5 section 6.1.2.5.3).
      flush(i)
      text += String.fromCharCode(byte)
      i += 1
      start = i
      g1 = initialG1
      continue
    }
    i += 1
  }
  flush(bytes.length)
  return text
}

const readers = new Map<string, TextReader>()

/** The reader for the values of Specific Character Set as they stand in the data set; unknown terms read as undeclared. */
export function textReader(terms: readonly string[]): TextReader {
  const key = terms.join('\\')
  let reader = readers.get(key)
  if (reader === undefined) {
    reader = build(terms, key)
    // Terms come from files: a bounded cache, so that a hostile import cannot grow it without end.
    if (readers.size > 256) readers.clear()
    readers.set(key, reader)
  }
  return reader
}

function build(terms: readonly string[], name: string): TextReader {
  const first = termNumber(terms[0] ?? '')
  const whole = WHOLE_VALUE[first]
  if (whole !== undefined) return { decode: decoderFor(whole), name }
  const label = SINGLE_BYTE[first]
  const extended = terms.length > 1 || /2022/.test(terms[0] ?? '')
  if (extended) {
    const g1 = label === undefined || label === null ? 'latin1' : label
    return { decode: (bytes) => (bytes.includes(ESC) ? decodeIso2022(bytes, g1) : decoderFor(g1)(bytes)), name }
  }
  if (label === undefined || first === '6') return { decode: undeclared, name }
  return { decode: decoderFor(label ?? 'latin1'), name }
}
