import { undecodable } from '../undecodable.ts'
import type { JpegBits } from './bits.ts'
import type { JpegFrame, JpegScan } from './frame.ts'

/** One scan of lossless JPEG (ITU-T T.81 annex H), all seven predictors, into `frame.samples`. */
export function decodeLosslessScan(bits: JpegBits, frame: JpegFrame, scan: JpegScan): void {
  const { width, height, samples, precision } = frame
  const step = frame.components.length
  const rowLength = width * step
  const predictor = scan.spectralStart
  const shift = scan.approximationLow
  if (predictor < 1 || predictor > 7 || shift >= precision)
    throw undecodable('the lossless JPEG scan names an unknown predictor.')
  if (scan.components.some(({ component }) => component.horizontal !== 1 || component.vertical !== 1))
    throw undecodable('subsampled lossless JPEG is not supported.')
  const mask = (1 << (precision - shift)) - 1
  const start = 1 << (precision - shift - 1)
  const parts = scan.components.map(({ index, dc }) => {
    if (dc === null) throw undecodable('a JPEG Huffman table is missing.')
    return { index, dc }
  })

  let untilRestart = scan.restartInterval
  let firstRow = true
  for (let y = 0; y < height; y++) {
    const row = y * rowLength
    // After a restart prediction begins anew, as on the first line (T.81 H.1.1).
    let startOfInterval = y === 0
    for (let x = 0; x < width; x++) {
      if (scan.restartInterval > 0) {
        if (untilRestart === 0) {
          bits.restart()
          untilRestart = scan.restartInterval
          startOfInterval = true
          firstRow = true
          if (x !== 0) throw undecodable('a lossless JPEG restarts inside a line.')
        }
        untilRestart--
      }
      for (let p = 0; p < parts.length; p++) {
        const { index, dc } = parts[p]!
        const at = row + x * step + index
        let prediction: number
        if (x === 0) {
          prediction = startOfInterval ? start : samples[at - rowLength]! >> shift
        } else if (firstRow || predictor === 1) {
          prediction = samples[at - step]! >> shift
        } else {
          const above = samples[at - rowLength]! >> shift
          const left = samples[at - step]! >> shift
          const corner = samples[at - rowLength - step]! >> shift
          prediction = predict(predictor, left, above, corner)
        }
        const length = bits.symbol(dc)
        if (length > 16) throw undecodable('the JPEG data holds an impossible difference.')
        const difference = length === 16 ? 32768 : bits.signed(length)
        samples[at] = ((prediction + difference) & mask) << shift
      }
    }
    firstRow = false
    if (bits.exhausted) throw undecodable('the JPEG data ends early.')
  }
}

/** T.81 table H.1 */
function predict(predictor: number, left: number, above: number, corner: number): number {
  switch (predictor) {
    case 2:
      return above
    case 3:
      return corner
    case 4:
      return left + above - corner
    case 5:
      return left + ((above - corner) >> 1)
    case 6:
      return above + ((left - corner) >> 1)
    default:
      return (left + above) >> 1
  }
}
