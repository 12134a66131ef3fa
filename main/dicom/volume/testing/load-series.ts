import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeFrame } from '../../codecs/decode-frame.ts'
import { frameBytes } from '../../codecs/decode-file.ts'
import { pixelFormat } from '../../codecs/pixel-format.ts'
import { readInstanceBytes } from '../../read/instance.ts'
import type { VolumeInstance } from '../types.ts'

/** A file as a part of a volume. */
export async function loadInstance(path: string): Promise<VolumeInstance> {
  const { head, parts } = readInstanceBytes(await readFile(path))
  return {
    dataset: head.dataset,
    frames: head.frames,
    transferSyntaxUID: head.transferSyntaxUID,
    decode: (frame) =>
      decodeFrame(frameBytes(head, parts, frame + 1), pixelFormat(head.dataset, head.transferSyntaxUID)),
  }
}

/** All files under a folder, in no order that would help. */
export async function loadSeries(folder: string): Promise<VolumeInstance[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const shuffled = paths.sort((a, b) => scatter(a) - scatter(b))
  return Promise.all(shuffled.map(loadInstance))
}

function scatter(text: string): number {
  let sum = 7
  for (const letter of text) sum = (sum * 31 + letter.charCodeAt(0)) % 65521
  return sum
}
