import { undecodable } from '../undecodable.ts'
import type { HuffmanTable, JpegBits } from './bits.ts'
import type { JpegFrame, JpegScan } from './frame.ts'

// prettier-ignore
export const ZIGZAG = new Uint8Array([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
])

/** Decodes the coefficients of one block at `at`; `part` counts the scan's components. */
type BlockReader = (coefficients: Int16Array, at: number, part: number) => void

/** One scan of sequential or progressive DCT JPEG (ITU-T T.81 annexes F and G), into the components' coefficients. */
export function decodeDctScan(bits: JpegBits, frame: JpegFrame, scan: JpegScan): void {
  const reader = frame.process === 'progressive' ? progressiveReader(bits, scan) : sequentialReader(bits, scan)
  let untilRestart = scan.restartInterval
  const beforeMcu = (): void => {
    if (scan.restartInterval === 0) return
    if (untilRestart === 0) {
      bits.restart()
      reader.reset()
      untilRestart = scan.restartInterval
    }
    untilRestart--
  }

  const [only] = scan.components
  if (scan.components.length === 1 && only !== undefined) {
    const { component } = only
    for (let y = 0; y < component.blocksHigh; y++) {
      for (let x = 0; x < component.blocksWide; x++) {
        beforeMcu()
        reader.block(component.coefficients, (y * component.blocksStride + x) * 64, 0)
      }
      if (bits.exhausted) throw undecodable('the JPEG data ends early.')
    }
    return
  }
  for (let mcuY = 0; mcuY < frame.mcusHigh; mcuY++) {
    for (let mcuX = 0; mcuX < frame.mcusWide; mcuX++) {
      beforeMcu()
      for (let part = 0; part < scan.components.length; part++) {
        const { component } = scan.components[part]!
        for (let v = 0; v < component.vertical; v++) {
          const row = (mcuY * component.vertical + v) * component.blocksStride
          for (let h = 0; h < component.horizontal; h++)
            reader.block(component.coefficients, (row + mcuX * component.horizontal + h) * 64, part)
        }
      }
    }
    if (bits.exhausted) throw undecodable('the JPEG data ends early.')
  }
}

function table(found: HuffmanTable | null): HuffmanTable {
  if (found === null) throw undecodable('a JPEG Huffman table is missing.')
  return found
}

function dcLength(bits: JpegBits, dc: HuffmanTable): number {
  const length = bits.symbol(dc)
  if (length > 15) throw undecodable('the JPEG data holds an impossible difference.')
  return length
}

function sequentialReader(bits: JpegBits, scan: JpegScan): { block: BlockReader; reset: () => void } {
  const predictions = new Int32Array(scan.components.length)
  const tables = scan.components.map(({ dc, ac }) => ({ dc: table(dc), ac: table(ac) }))
  return {
    reset: () => void predictions.fill(0),
    block(coefficients, at, part) {
      const { dc, ac } = tables[part]!
      predictions[part] = predictions[part]! + bits.signed(dcLength(bits, dc))
      coefficients[at] = predictions[part]!
      for (let k = 1; k < 64;) {
        const symbol = bits.symbol(ac)
        const length = symbol & 15
        const run = symbol >> 4
        if (length === 0) {
          if (run !== 15) break
          k += 16
          continue
        }
        k += run
        if (k > 63) throw undecodable('a JPEG block holds more than 64 coefficients.')
        coefficients[at + ZIGZAG[k]!] = bits.signed(length)
        k++
      }
    },
  }
}

function progressiveReader(bits: JpegBits, scan: JpegScan): { block: BlockReader; reset: () => void } {
  const { spectralStart, spectralEnd, approximationHigh, approximationLow } = scan
  const [only] = scan.components
  if (spectralStart > spectralEnd || spectralEnd > 63 || only === undefined)
    throw undecodable('a progressive JPEG scan is impossible.')
  if (spectralStart > 0 && scan.components.length > 1)
    throw undecodable('a progressive JPEG scan mixes components where it may not.')
  if (spectralStart === 0) return approximationHigh === 0 ? dcFirst(bits, scan) : dcRefine(bits, approximationLow)
  const ac = table(only.ac)
  return approximationHigh === 0
    ? acFirst(bits, ac, spectralStart, spectralEnd, approximationLow)
    : acRefine(bits, ac, spectralStart, spectralEnd, approximationLow)
}

function dcFirst(bits: JpegBits, scan: JpegScan): { block: BlockReader; reset: () => void } {
  const predictions = new Int32Array(scan.components.length)
  const tables = scan.components.map(({ dc }) => table(dc))
  return {
    reset: () => void predictions.fill(0),
    block(coefficients, at, part) {
      const prediction = predictions[part]! + bits.signed(dcLength(bits, tables[part]!))
      predictions[part] = prediction
      coefficients[at] = prediction << scan.approximationLow
    },
  }
}

function dcRefine(bits: JpegBits, low: number): { block: BlockReader; reset: () => void } {
  return {
    reset: () => undefined,
    block(coefficients, at) {
      if (bits.bits(1) === 1) coefficients[at] = coefficients[at]! | (1 << low)
    },
  }
}

function acFirst(
  bits: JpegBits,
  ac: HuffmanTable,
  start: number,
  end: number,
  low: number,
): { block: BlockReader; reset: () => void } {
  let endOfBandRun = 0
  return {
    reset: () => void (endOfBandRun = 0),
    block(coefficients, at) {
      if (endOfBandRun > 0) {
        endOfBandRun--
        return
      }
      for (let k = start; k <= end;) {
        const symbol = bits.symbol(ac)
        const length = symbol & 15
        const run = symbol >> 4
        if (length === 0) {
          if (run < 15) {
            endOfBandRun = (1 << run) - 1 + bits.bits(run)
            return
          }
          k += 16
          continue
        }
        k += run
        if (k > 63) throw undecodable('a JPEG block holds more than 64 coefficients.')
        coefficients[at + ZIGZAG[k]!] = bits.signed(length) * (1 << low)
        k++
      }
    },
  }
}

/** T.81 G.1.2.3: new coefficients are ±1 at this bit; every coefficient already non-zero passed on the way gets one correction bit. */
function acRefine(
  bits: JpegBits,
  ac: HuffmanTable,
  start: number,
  end: number,
  low: number,
): { block: BlockReader; reset: () => void } {
  let endOfBandRun = 0
  const plus = 1 << low
  const correct = (coefficients: Int16Array, index: number): void => {
    const value = coefficients[index]!
    if (bits.bits(1) === 1 && (Math.abs(value) & plus) === 0) coefficients[index] = value + (value > 0 ? plus : -plus)
  }
  return {
    reset: () => void (endOfBandRun = 0),
    block(coefficients, at) {
      let k = start
      if (endOfBandRun === 0) {
        for (; k <= end; k++) {
          const symbol = bits.symbol(ac)
          const length = symbol & 15
          let run = symbol >> 4
          let fresh = 0
          if (length === 0) {
            if (run < 15) {
              endOfBandRun = (1 << run) + bits.bits(run)
              break
            }
          } else {
            if (length !== 1) throw undecodable('a JPEG refinement scan is corrupt.')
            fresh = bits.bits(1) === 1 ? plus : -plus
          }
          for (; k <= end; k++) {
            const index = at + ZIGZAG[k]!
            if (coefficients[index] !== 0) correct(coefficients, index)
            else if (--run < 0) break
          }
          if (fresh !== 0) {
            if (k > end) throw undecodable('a JPEG block holds more than 64 coefficients.')
            coefficients[at + ZIGZAG[k]!] = fresh
          }
        }
      }
      if (endOfBandRun > 0) {
        for (; k <= end; k++) {
          const index = at + ZIGZAG[k]!
          if (coefficients[index] !== 0) correct(coefficients, index)
        }
        endOfBandRun--
      }
    },
  }
}
