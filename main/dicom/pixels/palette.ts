import { type DicomJsonDataset, type DicomJsonElement, numbers } from '#common/dicom/json.ts'
import { lookUp, type LookupTable, lookupTable } from '#common/dicom/modality-lut.ts'
import type { PixelArray } from '../types.ts'

const COLOURS = ['red', 'green', 'blue'] as const
const TAGS = {
  red: { descriptor: '00281101', data: '00281201', segmented: '00281221' },
  green: { descriptor: '00281102', data: '00281202', segmented: '00281222' },
  blue: { descriptor: '00281103', data: '00281203', segmented: '00281223' },
} as const

/**
 * Palette colour to interleaved 8-bit RGB (PS3.3 C.7.6.3.1.5 and C.7.9), or null when the data set holds no usable
 * palette.
 */
export function paletteToRgb(pixels: PixelArray, dataset: DicomJsonDataset, signed: boolean): Uint8Array | null {
  const tables = COLOURS.map((colour) => paletteTable(dataset, colour, signed))
  const out = new Uint8Array(pixels.length * 3)
  for (const [channel, table] of tables.entries()) {
    if (table === null) return null
    const shift = shiftTo8(table)
    for (let k = 0; k < pixels.length; k++) out[k * 3 + channel] = lookUp(table, pixels[k]!) >> shift
  }
  return out
}

/** Some writers say 16 bits and store values of 8. */
function shiftTo8({ bits, values }: LookupTable): number {
  if (bits <= 8) return 0
  for (let k = 0; k < values.length; k++) if (values[k]! > 255) return 8
  return 0
}

function paletteTable(
  dataset: DicomJsonDataset,
  colour: (typeof COLOURS)[number],
  signed: boolean,
): LookupTable | null {
  const tags = TAGS[colour]
  const plain = lookupTable(dataset, signed, tags)
  if (plain !== null) return plain
  const descriptor = numbers(dataset, tags.descriptor)
  const words = segmentedWords(dataset[tags.segmented], descriptor?.[2] === 8)
  if (descriptor === null || descriptor.length < 3 || words === null) return null
  const [count, first, bits] = descriptor as [number, number, number]
  const values = expandSegments(words, count === 0 ? 65536 : count)
  if (values === null) return null
  return { first: signed && first > 32767 ? first - 65536 : first, bits, values }
}

function segmentedWords(element: DicomJsonElement | undefined, bytes: boolean): ArrayLike<number> | null {
  if (element?.Value !== undefined) return element.Value.map(Number)
  if (element?.InlineBinary === undefined) return null
  const data = Buffer.from(element.InlineBinary, 'base64')
  if (bytes) return data
  return Uint16Array.from({ length: data.length >> 1 }, (_, index) => data.readUInt16LE(index * 2))
}

/** PS3.3 C.7.9.2: discrete, linear and indirect segments. Null when they do not give `count` entries. */
function expandSegments(words: ArrayLike<number>, count: number): Uint16Array | null {
  const out = new Uint16Array(count)
  const done = { entries: 0 }
  const put = (value: number): boolean => {
    if (done.entries >= count) return false
    out[done.entries++] = value
    return true
  }
  /** Reads the segment at `from` and gives where the next begins; null when it makes no sense. */
  const segment = (from: number, nested: boolean): number | null => {
    const opcode = words[from]
    const size = words[from + 1]
    if (opcode === undefined || size === undefined) return null
    if (opcode === 0) {
      for (let k = 0; k < size; k++) if (!put(words[from + 2 + k] ?? 0)) return null
      return from + 2 + size
    }
    if (opcode === 1) {
      const begin = done.entries === 0 ? 0 : out[done.entries - 1]!
      const end = words[from + 2] ?? 0
      for (let k = 1; k <= size; k++) if (!put(Math.round(begin + ((end - begin) * k) / size))) return null
      return from + 3
    }
    if (opcode === 2 && !nested) {
      let source: number | null = (words[from + 2] ?? 0) + (words[from + 3] ?? 0) * 65536
      for (let k = 0; k < size; k++) {
        source = segment(source, true)
        if (source === null) return null
      }
      return from + 4
    }
    return null
  }
  let from: number | null = 0
  while (from !== null && done.entries < count && from < words.length) from = segment(from, false)
  return done.entries === count ? out : null
}
