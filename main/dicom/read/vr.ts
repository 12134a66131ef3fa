/** How the value of each VR is read (PS3.5 table 6.2-1). */
type VrKind =
  | 'sequence'
  | 'binary'
  | 'name'
  /** One value, character set applies. */
  | 'long-text'
  /** Several values, character set applies. */
  | 'short-text'
  /** Several values of the default repertoire. */
  | 'plain'
  /** One value of the default repertoire. */
  | 'plain-single'
  | 'decimal'
  | 'integer'
  | 'number'
  | 'tag'

export interface Vr {
  name: string
  kind: VrKind
  /** Explicit VR: two reserved bytes, then a 32-bit length. */
  long: boolean
  /** Bytes per number, or per word of a binary value (what big endian swaps). */
  size: number
}

type Row = [name: string, kind: VrKind, long: boolean, size: number]

const rows: Row[] = [
  ['AE', 'plain', false, 1],
  ['AS', 'plain', false, 1],
  ['AT', 'tag', false, 4],
  ['CS', 'plain', false, 1],
  ['DA', 'plain', false, 1],
  ['DS', 'decimal', false, 1],
  ['DT', 'plain', false, 1],
  ['FD', 'number', false, 8],
  ['FL', 'number', false, 4],
  ['IS', 'integer', false, 1],
  ['LO', 'short-text', false, 1],
  ['LT', 'long-text', false, 1],
  ['OB', 'binary', true, 1],
  ['OD', 'binary', true, 8],
  ['OF', 'binary', true, 4],
  ['OL', 'binary', true, 4],
  ['OV', 'binary', true, 8],
  ['OW', 'binary', true, 2],
  ['PN', 'name', false, 1],
  ['SH', 'short-text', false, 1],
  ['SL', 'number', false, 4],
  ['SQ', 'sequence', true, 1],
  ['SS', 'number', false, 2],
  ['ST', 'long-text', false, 1],
  ['SV', 'number', true, 8],
  ['TM', 'plain', false, 1],
  ['UC', 'short-text', true, 1],
  ['UI', 'plain', false, 1],
  ['UL', 'number', false, 4],
  ['UN', 'binary', true, 1],
  ['UR', 'plain-single', true, 1],
  ['US', 'number', false, 2],
  ['UT', 'long-text', true, 1],
  ['UV', 'number', true, 8],
]

const byName = new Map<string, Vr>(rows.map(([name, kind, long, size]) => [name, { name, kind, long, size }]))

/** By the two bytes as they stand in the file: first letter in the high byte. */
const byCode = new Map<number, Vr>(
  [...byName.values()].map((vr) => [vr.name.charCodeAt(0) * 256 + vr.name.charCodeAt(1), vr]),
)

export function vrOfCode(code: number): Vr | undefined {
  return byCode.get(code)
}

/** @throws Error for a name that PS3.5 does not have: a mistake in our own tables */
export function vrOfName(name: string): Vr {
  const vr = byName.get(name)
  if (vr === undefined) throw new Error(`${name} is no value representation.`)
  return vr
}

export function isVrName(name: string): boolean {
  return byName.has(name)
}

export const UN = vrOfName('UN')
export const SQ = vrOfName('SQ')
