import { inflateRaw } from 'node:zlib'
import { promisify } from 'node:util'
import { undecodable } from './undecodable.ts'

const inflate = promisify(inflateRaw)

/**
 * Deflated Image Frame Compression (PS3.5 A.4.13): each frame a DEFLATE stream (RFC 1951) of its native bytes.
 * @param expectedBytes of the frame; one byte of padding more is accepted, so nothing larger is ever inflated
 * @throws AlcoveError dicom/undecodable-pixels
 */
export async function inflateFrame(bytes: Uint8Array, expectedBytes: number): Promise<Uint8Array> {
  try {
    return await inflate(bytes, { maxOutputLength: expectedBytes + 1 })
  } catch (error) {
    throw undecodable('the deflated frame is corrupt or larger than its header says.', error)
  }
}
