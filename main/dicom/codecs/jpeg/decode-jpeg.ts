import { undecodable } from '../undecodable.ts'
import { type HuffmanTable, huffmanTable, JpegBits } from './bits.ts'
import { decodeDctScan, ZIGZAG } from './dct-scan.ts'
import type { JpegComponent, JpegFrame, JpegScan } from './frame.ts'
import { decodeLosslessScan } from './lossless.ts'
import { dctSamples, newSamples } from './output.ts'

export interface DecodedJpeg {
  width: number
  height: number
  precision: number
  /** Of each component, in frame order. */
  componentIds: number[]
  /** True when any component is subsampled. */
  subsampled: boolean
  lossless: boolean
  /** Colour transform of the Adobe APP14 segment: 0 none, 1 YCbCr, 2 YCCK; null without one. */
  adobeTransform: number | null
  jfif: boolean
  /** Row-major, components interleaved, colours as coded (no conversion). */
  samples: Uint8Array | Uint16Array
}

interface Segments {
  dc: (HuffmanTable | null)[]
  ac: (HuffmanTable | null)[]
  quantisation: (Int32Array | null)[]
  restartInterval: number
}

/**
 * JPEG of ITU-T T.81 with Huffman coding: baseline, extended (8 and 12 bits), progressive and lossless (2–16 bits).
 * Strict: whatever is missing or out of step is an error, never grey pixels.
 * @param expected size the image must have, checked before anything is allocated for it
 * @throws AlcoveError dicom/undecodable-pixels
 */
export function decodeJpeg(
  bytes: Uint8Array,
  expected: { width: number; height: number; components: number },
): DecodedJpeg {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) throw undecodable('it does not begin as a JPEG does.')
  const segments: Segments = {
    dc: [null, null, null, null],
    ac: [null, null, null, null],
    quantisation: [null, null, null, null],
    restartInterval: 0,
  }
  let frame: JpegFrame | null = null
  let adobeTransform: number | null = null
  let jfif = false
  let scans = 0
  let position = 2

  for (;;) {
    while (position < bytes.length && bytes[position] !== 0xff) position++
    while (position < bytes.length && bytes[position] === 0xff) position++
    const marker = bytes[position++]
    if (marker === undefined) {
      // Some writers leave the end-of-image marker out; what matters is that every scan was whole.
      break
    }
    if (marker === 0xd9) break
    if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) continue
    if (position + 2 > bytes.length) throw undecodable('the JPEG data ends early.')
    const length = view.getUint16(position)
    if (length < 2 || position + length > bytes.length) throw undecodable('the JPEG data ends early.')
    const body = bytes.subarray(position + 2, position + length)
    position += length
    if (marker === 0xc4) readHuffmanTables(body, segments)
    else if (marker === 0xdb) readQuantisationTables(body, segments)
    else if (marker === 0xdd) segments.restartInterval = ((body[0] ?? 0) << 8) | (body[1] ?? 0)
    else if (marker === 0xe0) jfif ||= isText(body, 'JFIF')
    else if (marker === 0xee && isText(body, 'Adobe') && body.length >= 12) adobeTransform = body[11] ?? null
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc) {
      if (frame !== null) throw undecodable('the JPEG is hierarchical, which is not supported.')
      frame = readFrame(marker, body, expected)
    } else if (marker === 0xda) {
      if (frame === null) throw undecodable('the JPEG has no frame header.')
      const scan = readScan(body, frame, segments)
      const bits = new JpegBits(bytes, position, bytes.length)
      if (frame.process === 'lossless') decodeLosslessScan(bits, frame, scan)
      else decodeDctScan(bits, frame, scan)
      position = bits.position
      scans += scan.components.length
    }
  }
  if (frame === null || scans < frame.components.length) throw undecodable('the JPEG data ends early.')
  return {
    width: frame.width,
    height: frame.height,
    precision: frame.precision,
    componentIds: frame.components.map(({ id }) => id),
    subsampled: frame.components.some(
      ({ horizontal, vertical }) => horizontal !== frame.maxHorizontal || vertical !== frame.maxVertical,
    ),
    lossless: frame.process === 'lossless',
    adobeTransform,
    jfif,
    samples: frame.process === 'lossless' ? frame.samples : dctSamples(frame),
  }
}

function isText(body: Uint8Array, text: string): boolean {
  return new TextDecoder('latin1').decode(body.subarray(0, text.length)) === text
}

function readHuffmanTables(body: Uint8Array, segments: Segments): void {
  let at = 0
  while (at + 17 <= body.length) {
    const kind = body[at]! >> 4
    const slot = body[at]! & 15
    const counts = body.subarray(at + 1, at + 17)
    const total = counts.reduce((sum, count) => sum + count, 0)
    if (kind > 1 || slot > 3 || total > 256 || at + 17 + total > body.length)
      throw undecodable('a JPEG Huffman table is impossible.')
    const table = huffmanTable(counts, body.slice(at + 17, at + 17 + total))
    if (kind === 0) segments.dc[slot] = table
    else segments.ac[slot] = table
    at += 17 + total
  }
}

function readQuantisationTables(body: Uint8Array, segments: Segments): void {
  let at = 0
  while (at < body.length) {
    const wide = body[at]! >> 4
    const slot = body[at]! & 15
    at++
    if (wide > 1 || slot > 3 || at + 64 * (wide + 1) > body.length)
      throw undecodable('a JPEG quantisation table is impossible.')
    const table = new Int32Array(64)
    for (let k = 0; k < 64; k++, at += wide + 1)
      table[ZIGZAG[k]!] = wide === 1 ? (body[at]! << 8) | body[at + 1]! : body[at]!
    segments.quantisation[slot] = table
  }
}

function readFrame(
  marker: number,
  body: Uint8Array,
  expected: { width: number; height: number; components: number },
): JpegFrame {
  const process =
    marker === 0xc0 || marker === 0xc1
      ? 'sequential'
      : marker === 0xc2
        ? 'progressive'
        : marker === 0xc3
          ? 'lossless'
          : null
  if (process === null) throw undecodable('the JPEG uses arithmetic coding or hierarchy, which is not supported.')
  const precision = body[0] ?? 0
  const height = ((body[1] ?? 0) << 8) | (body[2] ?? 0)
  const width = ((body[3] ?? 0) << 8) | (body[4] ?? 0)
  const count = body[5] ?? 0
  if (process === 'lossless' ? precision < 2 || precision > 16 : precision !== 8 && precision !== 12)
    throw undecodable(`the JPEG has an impossible precision of ${precision} bits.`)
  if (width !== expected.width || height !== expected.height || count !== expected.components)
    throw undecodable(
      `the JPEG is ${width}×${height} with ${count} components; the header says ${expected.width}×${expected.height} with ${expected.components}.`,
    )
  if (body.length < 6 + 3 * count) throw undecodable('the JPEG data ends early.')
  const factors = Array.from({ length: count }, (_, index) => {
    const at = 6 + index * 3
    return { id: body[at]!, horizontal: body[at + 1]! >> 4, vertical: body[at + 1]! & 15, table: body[at + 2]! & 3 }
  })
  // A single component is never interleaved: its factors mean nothing (T.81 A.2.2).
  if (count === 1) for (const factor of factors) factor.horizontal = factor.vertical = 1
  if (factors.some(({ horizontal, vertical }) => horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4))
    throw undecodable('the JPEG has impossible sampling factors.')
  const maxHorizontal = Math.max(...factors.map(({ horizontal }) => horizontal))
  const maxVertical = Math.max(...factors.map(({ vertical }) => vertical))
  const mcusWide = Math.ceil(width / (8 * maxHorizontal))
  const mcusHigh = Math.ceil(height / (8 * maxVertical))
  const dct = process !== 'lossless'
  return {
    process,
    precision,
    width,
    height,
    maxHorizontal,
    maxVertical,
    mcusWide,
    mcusHigh,
    components: factors.map(({ id, horizontal, vertical, table }) => {
      const own = {
        width: Math.ceil((width * horizontal) / maxHorizontal),
        height: Math.ceil((height * vertical) / maxVertical),
      }
      return {
        id,
        horizontal,
        vertical,
        quantisationTable: table,
        ...own,
        blocksWide: Math.ceil(own.width / 8),
        blocksHigh: Math.ceil(own.height / 8),
        blocksStride: mcusWide * horizontal,
        coefficients: new Int16Array(dct ? mcusWide * horizontal * mcusHigh * vertical * 64 : 0),
        quantisation: null,
      }
    }),
    samples: newSamples(precision, dct ? 0 : width * height * count),
  }
}

function readScan(body: Uint8Array, frame: JpegFrame, segments: Segments): JpegScan {
  const count = body[0] ?? 0
  if (count < 1 || count > 4 || body.length < 4 + 2 * count) throw undecodable('a JPEG scan header is impossible.')
  const components = Array.from({ length: count }, (_, part) => {
    const id = body[1 + part * 2]!
    const tables = body[2 + part * 2]!
    const index = frame.components.findIndex((component) => component.id === id)
    const component = frame.components[index]
    if (component === undefined) throw undecodable('a JPEG scan names a component that does not exist.')
    if (frame.process !== 'lossless') latchQuantisation(component, segments)
    return {
      component,
      index,
      dc: segments.dc[(tables >> 4) & 3] ?? null,
      ac: segments.ac[tables & 3] ?? null,
    }
  })
  const at = 1 + 2 * count
  return {
    components,
    spectralStart: body[at]!,
    spectralEnd: body[at + 1]!,
    approximationHigh: body[at + 2]! >> 4,
    approximationLow: body[at + 2]! & 15,
    restartInterval: segments.restartInterval,
  }
}

function latchQuantisation(component: JpegComponent, segments: Segments): void {
  component.quantisation ??= segments.quantisation[component.quantisationTable]?.slice() ?? null
  if (component.quantisation === null) throw undecodable('a JPEG quantisation table is missing.')
}
