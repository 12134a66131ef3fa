import { describe, expect, it } from 'vitest'
import { encodeMaskHead, decodeMasks, packMask } from '#common/contract/masks.ts'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { colourTable } from './colour-maps.ts'
import { framesOfSeries } from './frames-of-series.ts'
import { labelVolume } from './label-volume.ts'
import { indexMap, sliceLabels, sliceValues, touched } from './reslice.ts'
import { volumeGeometry } from './volume-geometry.ts'

const axial = {
  origin: [0, 0, 0] as [number, number, number],
  right: [1, 0, 0] as [number, number, number],
  down: [0, 1, 0] as [number, number, number],
  normal: [0, 0, 1] as [number, number, number],
}
const geometry = {
  dimensions: [4, 3, 2] as [number, number, number],
  spacingMm: [10, 10, 10] as [number, number, number],
  origin: [5, 5, 0] as [number, number, number],
  axes: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ] as [[number, number, number], [number, number, number], [number, number, number]],
}

describe('reslice', () => {
  it('knows what part of the screen a grid touches', () => {
    expect(touched(axial, geometry, 100, 100)).toEqual({ left: 0, top: 0, right: 40, bottom: 30 })
    expect(touched({ ...axial, origin: [0, 0, 40] }, geometry, 100, 100)).toBeNull()
  })

  it('gives every pixel the label of the voxel it lies in', () => {
    const labels = new Uint8Array(24)
    labels[1 + 4 * 2] = 7
    const box = { left: 0, top: 0, right: 40, bottom: 30 }
    const out = sliceLabels(labels, geometry, indexMap(axial, geometry), box)
    // Voxel (1, 2) covers x 10–20 and y 20–30 mm, one pixel a millimetre.
    expect(out.filter((label) => label === 7).length).toBe(100)
    expect(out[10 + 40 * 20]).toBe(7)
    expect(out[19 + 40 * 29]).toBe(7)
    expect(out[9 + 40 * 20]).toBe(0)
  })

  it('interpolates between voxel centres', () => {
    const values = Float32Array.from({ length: 24 }, (_, at) => at % 4)
    const box = { left: 10, top: 10, right: 11, bottom: 11 }
    const out = sliceValues(values, geometry, indexMap(axial, geometry), box, 1)
    // x = 10.5 mm lies 0.55 of the way from column 0 (5 mm) to column 1 (15 mm).
    expect(out.values[0]).toBeCloseTo(0.55, 5)
  })
})

describe('labelVolume', () => {
  it('places masks by the image they lie on and cuts the box around them', () => {
    const slice = (z: number): DicomJsonDataset => ({
      '00080018': { vr: 'UI', Value: [`1.2.${z + 1}`] },
      '00200032': { vr: 'DS', Value: [0, 0, z] },
      '00200037': { vr: 'DS', Value: [1, 0, 0, 0, 1, 0] },
      '00280010': { vr: 'US', Value: [3] },
      '00280011': { vr: 'US', Value: [5] },
      '00280030': { vr: 'DS', Value: [2, 2] },
    })
    const { frames } = framesOfSeries([slice(0), slice(4), slice(8)], null)
    const verdict = volumeGeometry(frames)
    if (!verdict.ok) throw new Error(verdict.reason)
    const mask = new Uint8Array(15)
    mask[2 + 5 * 1] = 1
    mask[3 + 5 * 1] = 1
    const head = encodeMaskHead(
      {
        rows: 3,
        columns: 5,
        segments: [{ number: 2, label: 'Lesion', colorRgb: [255, 0, 0], algorithm: null }],
        frames: [{ segment: 2, sopInstanceUID: '1.2.5', frame: null, positionLps: null }],
      },
      (text) => new TextEncoder().encode(text),
    )
    const packed = packMask(mask)
    const bytes = new Uint8Array(head.length + packed.length)
    bytes.set(head)
    bytes.set(packed, head.length)
    const document = decodeMasks(bytes, (part) => new TextDecoder().decode(part))
    const volume = labelVolume('9.9', document, frames, verdict.geometry)
    expect(volume?.geometry).toMatchObject({ dimensions: [2, 1, 1], origin: [4, 2, 4] })
    expect([...volume!.labels]).toEqual([2, 2])
    expect(volume!.voxelCounts.get(2)).toBe(2)
    expect(labelVolume('9.9', document, frames, { ...verdict.geometry, dimensions: [6, 3, 3] })).toBeNull()
  })
})

describe('colourTable', () => {
  it('hot iron runs from black over red to white', () => {
    const table = colourTable('hot-iron')
    expect([...table.subarray(0, 3)]).toEqual([0, 0, 0])
    expect(table[128 * 3]).toBeGreaterThan(250)
    expect(table[128 * 3 + 2]).toBeLessThan(6)
    expect([...table.subarray(255 * 3)]).toEqual([255, 255, 255])
  })
})
