import { undecodable } from './undecodable.ts'

/**
 * One frame of DICOM RLE (PS3.5 annex G): byte planes, most significant first, one set per sample, each packed by
 * PackBits. Gives little-endian samples with planes joined: sample after sample of a pixel (interleaved).
 * @param planeBytes bytes each segment must unpack to: pixels of the frame, or packed bytes of a 1-bit frame
 * @throws AlcoveError dicom/undecodable-pixels
 */
export function decodeRle(
  bytes: Uint8Array,
  planeBytes: number,
  samplesPerPixel: number,
  bytesPerSample: number,
): Uint8Array {
  if (bytes.length < 64) throw undecodable('the RLE frame is too short to hold its own header.')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const segments = view.getUint32(0, true)
  const step = samplesPerPixel * bytesPerSample
  if (segments !== step) throw undecodable(`the RLE frame holds ${segments} byte planes where ${step} are needed.`)
  if (segments > 15) throw undecodable('an RLE frame cannot hold more than 15 byte planes.')
  const out = new Uint8Array(planeBytes * step)
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 + segment * 4, true)
    const end = segment + 1 < segments ? view.getUint32(8 + segment * 4, true) : bytes.length
    if (start < 64 || start > end || end > bytes.length) throw undecodable('the RLE frame points outside of itself.')
    const sample = Math.floor(segment / bytesPerSample)
    const significance = bytesPerSample - 1 - (segment % bytesPerSample)
    unpack(bytes.subarray(start, end), out, sample * bytesPerSample + significance, step, planeBytes)
  }
  return out
}

function unpack(packed: Uint8Array, out: Uint8Array, first: number, step: number, count: number): void {
  let from = 0
  let to = first
  let left = count
  while (left > 0) {
    const control = packed[from++]
    if (control === undefined) throw undecodable('the RLE data ends early.')
    if (control < 128) {
      // A run past the last pixel is padding some writers leave.
      const run = Math.min(control + 1, left)
      if (from + run > packed.length) throw undecodable('the RLE data ends early.')
      for (let k = 0; k < run; k++, to += step) out[to] = packed[from + k]!
      from += control + 1
      left -= run
    } else if (control > 128) {
      const run = Math.min(257 - control, left)
      const value = packed[from++]
      if (value === undefined) throw undecodable('the RLE data ends early.')
      for (let k = 0; k < run; k++, to += step) out[to] = value
      left -= run
    }
  }
}
