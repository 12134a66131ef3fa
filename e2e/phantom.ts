import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A CT whose every value is known: HU = 10 × column − 640, the same in every row and slice. 128 × 128 pixels of
 * 1.5 mm, 24 slices of 3 mm, written byte by byte here so that no code under test has a hand in it.
 */
export const RAMP = {
  columns: 128,
  rows: 128,
  slices: 24,
  pixelMm: 1.5,
  sliceMm: 3,
  studyInstanceUID: '2.25.1001',
  seriesInstanceUID: '2.25.1002',
  patientName: 'Ramp^Known',
  huPerColumn: 10,
  huAtColumn0: -640,
} as const

const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2'
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1'
const LONG_LENGTH = new Set(['OB', 'OW'])

function element(group: number, number: number, vr: string, value: string | Buffer): Buffer {
  const raw = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  const padding = vr === 'UI' || vr === 'OB' ? '\0' : ' '
  const bytes = raw.length % 2 === 0 ? raw : Buffer.concat([raw, Buffer.from(padding)])
  const head = Buffer.alloc(LONG_LENGTH.has(vr) ? 12 : 8)
  head.writeUInt16LE(group, 0)
  head.writeUInt16LE(number, 2)
  head.write(vr, 4, 'latin1')
  if (LONG_LENGTH.has(vr)) head.writeUInt32LE(bytes.length, 8)
  else head.writeUInt16LE(bytes.length, 6)
  return Buffer.concat([head, bytes])
}

function unsigned(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function pixels(): Buffer {
  const bytes = Buffer.alloc(RAMP.rows * RAMP.columns * 2)
  for (let row = 0; row < RAMP.rows; row++)
    for (let column = 0; column < RAMP.columns; column++)
      bytes.writeInt16LE(RAMP.huPerColumn * column + RAMP.huAtColumn0, (row * RAMP.columns + column) * 2)
  return bytes
}

function instance(slice: number, data: Buffer): Buffer {
  const uid = `2.25.${2000 + slice}`
  const meta = Buffer.concat([
    element(0x0002, 0x0001, 'OB', Buffer.from([0, 1])),
    element(0x0002, 0x0002, 'UI', CT_IMAGE_STORAGE),
    element(0x0002, 0x0003, 'UI', uid),
    element(0x0002, 0x0010, 'UI', EXPLICIT_LITTLE_ENDIAN),
    element(0x0002, 0x0012, 'UI', '2.25.9'),
  ])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(meta.length)
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    element(0x0002, 0x0000, 'UL', length),
    meta,
    element(0x0008, 0x0016, 'UI', CT_IMAGE_STORAGE),
    element(0x0008, 0x0018, 'UI', uid),
    element(0x0008, 0x0020, 'DA', '20260301'),
    element(0x0008, 0x0030, 'TM', '101500'),
    element(0x0008, 0x0050, 'SH', 'ACC1'),
    element(0x0008, 0x0060, 'CS', 'CT'),
    element(0x0008, 0x1030, 'LO', 'Ramp of known values'),
    element(0x0008, 0x103e, 'LO', 'Ramp'),
    element(0x0010, 0x0010, 'PN', RAMP.patientName),
    element(0x0010, 0x0020, 'LO', 'RAMP-1'),
    element(0x0018, 0x0050, 'DS', String(RAMP.sliceMm)),
    element(0x0020, 0x000d, 'UI', RAMP.studyInstanceUID),
    element(0x0020, 0x000e, 'UI', RAMP.seriesInstanceUID),
    element(0x0020, 0x0011, 'IS', '1'),
    element(0x0020, 0x0013, 'IS', String(slice + 1)),
    element(0x0020, 0x0032, 'DS', `-95.25\\-95.25\\${slice * RAMP.sliceMm}`),
    element(0x0020, 0x0037, 'DS', '1\\0\\0\\0\\1\\0'),
    element(0x0020, 0x0052, 'UI', '2.25.1003'),
    element(0x0028, 0x0002, 'US', unsigned(1)),
    element(0x0028, 0x0004, 'CS', 'MONOCHROME2'),
    element(0x0028, 0x0010, 'US', unsigned(RAMP.rows)),
    element(0x0028, 0x0011, 'US', unsigned(RAMP.columns)),
    element(0x0028, 0x0030, 'DS', `${RAMP.pixelMm}\\${RAMP.pixelMm}`),
    element(0x0028, 0x0100, 'US', unsigned(16)),
    element(0x0028, 0x0101, 'US', unsigned(16)),
    element(0x0028, 0x0102, 'US', unsigned(15)),
    element(0x0028, 0x0103, 'US', unsigned(1)),
    element(0x0028, 0x1050, 'DS', '0'),
    element(0x0028, 0x1051, 'DS', '1400'),
    element(0x0028, 0x1052, 'DS', '0'),
    element(0x0028, 0x1053, 'DS', '1'),
    element(0x7fe0, 0x0010, 'OW', data),
  ])
}

export async function writeRamp(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const data = pixels()
  for (let slice = 0; slice < RAMP.slices; slice++) {
    await writeFile(join(folder, `ramp-${String(slice).padStart(3, '0')}.dcm`), instance(slice, data))
  }
}
