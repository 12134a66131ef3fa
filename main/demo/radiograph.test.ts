import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readInstanceBytes } from '../dicom/read/index.ts'
import { dciodvfyErrors, hasDciodvfy } from '../dicom/read/testing/python.ts'
import { wrapRadiograph } from './radiograph.ts'

const PICTURE = { pixels: Uint8Array.from({ length: 6 }, (_, i) => i * 40), rows: 2, columns: 3, name: 'test-1' }

describe('a picture wrapped as a radiograph', () => {
  it('keeps its pixels and is the same object each time', () => {
    const bytes = wrapRadiograph(PICTURE)
    const { head, parts } = readInstanceBytes(bytes)
    expect(parts.filter((part) => part.kind === 'frame').map((part) => [...part.bytes])).toEqual([
      [0, 40, 80, 120, 160, 200],
    ])
    expect(head.dataset['00080060']).toEqual({ vr: 'CS', Value: ['DX'] })
    expect(Buffer.from(wrapRadiograph(PICTURE)).equals(Buffer.from(bytes))).toBe(true)
    expect(() => wrapRadiograph({ ...PICTURE, rows: 3 })).toThrow(/do not agree/)
  })

  it.skipIf(!hasDciodvfy)('has no error for dciodvfy', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'alcove-dx-'))
    try {
      const file = join(folder, 'dx.dcm')
      await writeFile(file, wrapRadiograph({ ...PICTURE, lossy: true }))
      expect(await dciodvfyErrors(file)).toEqual([])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
