import { DICTIONARY_DATA, PRIVATE_DATA } from './dictionary-data.ts'

export interface DictionaryEntry {
  /** Eight upper-case hex digits, the key of DICOM JSON. */
  tag: string
  /** As in PS3.6; `xs` = US or SS, `ox` = OB or OW, `lt` = US or OW. */
  vr: string
  keyword: string
}

interface Tables {
  byTag: Map<number, DictionaryEntry>
  byKeyword: Map<string, DictionaryEntry>
}

let tables: Tables | null = null

/** Parsed when first asked for (about 2 ms), so that a command that reads no DICOM does not pay for it. */
function load(): Tables {
  if (tables !== null) return tables
  const byTag = new Map<number, DictionaryEntry>()
  const byKeyword = new Map<string, DictionaryEntry>()
  for (const line of DICTIONARY_DATA.trim().split('\n')) {
    const [group = '', ...rows] = line.split(' ')
    const high = Number.parseInt(group, 16) * 0x10000
    for (const row of rows) {
      const entry = { tag: group + row.slice(0, 4), vr: row.slice(4, 6), keyword: row.slice(6) }
      byTag.set(high + Number.parseInt(row.slice(0, 4), 16), entry)
      if (!byKeyword.has(entry.keyword)) byKeyword.set(entry.keyword, entry)
    }
  }
  tables = { byTag, byKeyword }
  return tables
}

/** Repeating groups (50xx, 60xx) stand in the table under their first group. */
function canonical(tag: number): number {
  const group = tag >>> 16
  const family = group & 0xff00
  return family === 0x5000 || family === 0x6000 ? family * 0x10000 + (tag & 0xffff) : tag
}

/** The entry of a public data element, tag as an unsigned 32-bit number; null when PS3.6 does not know it. */
export function dictionaryEntry(tag: number): DictionaryEntry | null {
  return load().byTag.get(canonical(tag)) ?? null
}

/** Keyword and VR of a tag given as eight hex digits; null when PS3.6 does not know it. */
export function entryOfTag(tag: string): DictionaryEntry | null {
  return dictionaryEntry(Number.parseInt(tag, 16))
}

/** Entry by keyword; null when PS3.6 does not know it. */
export function entryOfKeyword(keyword: string): DictionaryEntry | null {
  return load().byKeyword.get(keyword) ?? null
}

let privateTable: Map<string, string> | null = null

/**
 * VR of a private element, which only its creator's name makes known (PS3.5 section 7.8); null when this creator is
 * not in the table. `tag` as an unsigned 32-bit number.
 */
export function privateVr(tag: number, creator: string): string | null {
  if (privateTable === null) {
    privateTable = new Map()
    for (const line of PRIVATE_DATA.trim().split('\n')) {
      const [block = '', rows = ''] = line.split('|')
      for (let i = 0; i < rows.length; i += 4)
        privateTable.set(`${block}|${rows.slice(i, i + 2)}`, rows.slice(i + 2, i + 4))
    }
  }
  const hex = tag.toString(16).toUpperCase().padStart(8, '0')
  return privateTable.get(`${hex.slice(0, 4)}${creator}|${hex.slice(6)}`) ?? null
}
