import { AlcoveError } from '../errors.ts'

/**
 * The answer of POST …/series/{series}/frames: many frames in one body, in the order asked. Each is a 4-byte
 * little-endian length of its bytes, one byte with the length of its transfer syntax, that transfer syntax (ASCII),
 * and the bytes as stored, fragments joined; uncompressed big-endian ones come as little endian.
 */
export interface PackedFrame {
  bytes: Uint8Array
  transferSyntaxUID: string
}

const HEAD_BYTES = 5

/** Length of the pack in bytes. */
export function framePackBytes(frames: readonly PackedFrame[]): number {
  return frames.reduce((sum, frame) => sum + HEAD_BYTES + frame.transferSyntaxUID.length + frame.bytes.length, 0)
}

/** The pack in pieces, the frames' own bytes among them: nothing is copied. */
export function* framePackChunks(frames: readonly PackedFrame[]): Generator<Uint8Array> {
  for (const { bytes, transferSyntaxUID } of frames) {
    const head = new Uint8Array(HEAD_BYTES + transferSyntaxUID.length)
    new DataView(head.buffer).setUint32(0, bytes.length, true)
    head[4] = transferSyntaxUID.length
    for (let index = 0; index < transferSyntaxUID.length; index++)
      head[HEAD_BYTES + index] = transferSyntaxUID.charCodeAt(index)
    yield head
    yield bytes
  }
}

/** Views into `pack`, no copies. @throws AlcoveError dicom/truncated when the body ends early */
export function decodeFramePack(pack: Uint8Array): PackedFrame[] {
  const view = new DataView(pack.buffer, pack.byteOffset, pack.byteLength)
  const frames: PackedFrame[] = []
  let at = 0
  while (at < pack.length) {
    if (at + HEAD_BYTES > pack.length) throw cutShort()
    const length = view.getUint32(at, true)
    const name = view.getUint8(at + 4)
    at += HEAD_BYTES
    if (at + name + length > pack.length) throw cutShort()
    const transferSyntaxUID = String.fromCharCode(...pack.subarray(at, at + name))
    frames.push({ transferSyntaxUID, bytes: pack.subarray(at + name, at + name + length) })
    at += name + length
  }
  return frames
}

function cutShort(): AlcoveError {
  return new AlcoveError('dicom/truncated', 'The frames arrived cut short. Open the series again.')
}
