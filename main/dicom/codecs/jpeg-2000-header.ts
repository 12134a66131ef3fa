import { undecodable } from './undecodable.ts'

export interface CodestreamHeader {
  width: number
  height: number
  components: number
  precision: number
  signed: boolean
  /** The codestream transforms its first three components itself (RCT or ICT). */
  colourTransform: boolean
}

/**
 * The main header of a JPEG 2000 or HTJ2K codestream (ITU-T T.800 annex A), bare or inside a JP2 file, and a walk over
 * its tile-parts: decoders fill what is missing from a cut-off stream with grey and say nothing.
 * @throws AlcoveError dicom/undecodable-pixels when the stream is cut off or its components differ from each other
 */
export function readCodestreamHeader(bytes: Uint8Array): CodestreamHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    return walk(view, codestreamStart(view))
  } catch (error) {
    if (error instanceof RangeError) throw undecodable('the JPEG 2000 data ends early.', error)
    throw error
  }
}

function codestreamStart(view: DataView): number {
  if (view.getUint16(0) === 0xff4f) return 0
  if (view.getUint32(4) !== 0x6a502020) throw undecodable('it does not begin as a JPEG 2000 codestream does.')
  for (let box = 0; ;) {
    const length = view.getUint32(box)
    if (view.getUint32(box + 4) === 0x6a703263) return box + (length === 1 ? 16 : 8)
    if (length < 8) throw undecodable('the JP2 file holds no codestream.')
    box += length
  }
}

function walk(view: DataView, start: number): CodestreamHeader {
  if (view.getUint16(start) !== 0xff4f) throw undecodable('it does not begin as a JPEG 2000 codestream does.')
  let at = start + 2
  let size: Omit<CodestreamHeader, 'colourTransform'> | null = null
  let colourTransform = false
  for (;;) {
    const marker = view.getUint16(at)
    if (marker === 0xff90) break
    if (marker === 0xff51) size = readSize(view, at + 4)
    // COD: Scod (1), progression order (1), layers (2), multiple component transform (1)
    else if (marker === 0xff52) colourTransform = view.getUint8(at + 8) === 1
    else if (marker < 0xff00) throw undecodable('the JPEG 2000 header is corrupt.')
    at += 2 + view.getUint16(at + 2)
  }
  if (size === null) throw undecodable('the JPEG 2000 header is corrupt.')
  while (at + 2 <= view.byteLength && view.getUint16(at) === 0xff90) {
    const length = view.getUint32(at + 6)
    // Zero: up to the end-of-codestream marker. That marker is then the only proof of completeness.
    if (length === 0) {
      if (!endsWithMarker(view)) throw undecodable('the JPEG 2000 data ends early.')
      break
    }
    if (length < 14 || at + length > view.byteLength) throw undecodable('the JPEG 2000 data ends early.')
    at += length
  }
  return { ...size, colourTransform }
}

function endsWithMarker(view: DataView): boolean {
  // DICOM pads to even length with zero.
  for (let at = view.byteLength - 2; at >= Math.max(0, view.byteLength - 8); at--)
    if (view.getUint16(at) === 0xffd9) return true
  return false
}

function readSize(view: DataView, at: number): Omit<CodestreamHeader, 'colourTransform'> {
  const width = view.getUint32(at + 2) - view.getUint32(at + 10)
  const height = view.getUint32(at + 6) - view.getUint32(at + 14)
  const components = view.getUint16(at + 34)
  const depth = view.getUint8(at + 36)
  for (let k = 0; k < components; k++) {
    const own = at + 36 + k * 3
    if (view.getUint8(own) !== depth) throw undecodable('the JPEG 2000 components differ in precision.')
    if (view.getUint8(own + 1) !== 1 || view.getUint8(own + 2) !== 1)
      throw undecodable('subsampled JPEG 2000 is not supported.')
  }
  return { width, height, components, precision: (depth & 0x7f) + 1, signed: depth >= 0x80 }
}
