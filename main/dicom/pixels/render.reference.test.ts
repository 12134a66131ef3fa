import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { decodeFrame } from '../codecs/decode-frame.ts'
import { frameBytes } from '../codecs/decode-file.ts'
import { pixelFormat } from '../codecs/pixel-format.ts'
import { inflateInstance, readInstanceBytes } from '../read/instance.ts'
import { renderFrame, type RenderedImage, type RenderOptions } from './render.ts'
import { withTables } from './tables.ts'

const run = promisify(execFile)
const dcmtk = spawnSync('dcmj2pnm', ['--version']).error === undefined

/** Grey levels: DCMTK cuts fractions off and reaches its end value a step earlier. */
const TOLERANCE = 1

async function render(path: string, options: RenderOptions = {}): Promise<RenderedImage> {
  const file = await readFile(sharedPath('dicom', path))
  const { head, parts } = readInstanceBytes(file)
  const bytes = inflateInstance(file)
  const dataset = await withTables(head.dataset, (offset, length) =>
    Promise.resolve(bytes.subarray(offset, offset + length)),
  )
  const format = pixelFormat(dataset, head.transferSyntaxUID)
  return renderFrame(await decodeFrame(frameBytes(head, parts, (options.frame ?? 0) + 1), format), dataset, options)
}

describe.skipIf(sharedData === null || !dcmtk)('frames rendered as DCMTK does', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alcove-rendered-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const ct = 'cornerstone3D/CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm'
  const cases: [name: string, path: string, dcmtk: string[], options?: RenderOptions][] = [
    ['a CT in its own window', 'orthanc-jxl/test_ct1.dcm', ['+Wi', '1']],
    ['a CT in the lung window', ct, ['+Ww', '-600', '1500'], { window: { center: -600, width: 1500 } }],
    [
      'a CT in a narrow sigmoid window',
      ct,
      ['+Wfs', '+Ww', '40', '400'],
      { window: { center: 40, width: 400, function: 'SIGMOID' } },
    ],
    ['an MR between minimum and maximum', 'ibsi/ibsi_validation/dicom/STS_012/MR_T1/image/000000.dcm', ['+Wm']],
    ['a radiograph with a VOI LUT', 'pydicom-data/vlut_04.dcm', ['+Wl', '1']],
    ['MONOCHROME1 with an inverse presentation LUT', 'highdicom/dx_image.dcm', ['+Wi', '1']],
    ['MONOCHROME1 from a DICOMDIR', 'pydicom/dicomdirtests/77654033/CR1/6154', ['+Wi', '1']],
    [
      'frame 48 of an enhanced MR',
      'ENHANCED',
      ['+Ww', '200', '300', '+F', '48'],
      { frame: 47, window: { center: 200, width: 300 } },
    ],
    ['an 8-bit palette with 16-bit entries', 'pydicom/examples_palette.dcm', []],
    ['a palette of 16-bit entries', 'cornerstone3D/TestPattern_Palette_16.dcm', []],
    ['a palette in RLE', 'cornerstone3D/no-pixel-spacing.dcm', []],
    ['RGB by planes', 'pydicom-data/color-pl.dcm', []],
    ['YBR_FULL_422', 'cornerstone3D/US-YBR_FULL_422-EVRLE.dcm', []],
    ['colour JPEG', 'pydicom/SC_rgb_dcmtk_+eb+cy+np.dcm', []],
    ['12-bit JPEG', 'pydicom/JPGExtended.dcm', ['+Wm']],
  ]

  it.each(cases)('%s', async (_name, named, flags, options) => {
    const path =
      named === 'ENHANCED'
        ? 'dcm_qa_xa30/In/5_anat-T1w_acq-tfl/0001_1.3.12.2.1107.5.2.43.67093.2022071112080825794102791.dcm'
        : named
    const out = join(folder, 'reference.png')
    await run('dcmj2pnm', ['+on', ...flags, sharedPath('dicom', path), out])
    const image = await render(path, options)
    const expected = await sharp(await readFile(out))
      .toColourspace(image.channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([image.width, image.height, image.channels]).toEqual([
      expected.info.width,
      expected.info.height,
      expected.info.channels,
    ])
    let worst = 0
    image.pixels.forEach((value, at) => (worst = Math.max(worst, Math.abs(value - expected.data[at]!))))
    expect(worst).toBeLessThanOrEqual(TOLERANCE)
    // And it is a picture, not one grey.
    expect(new Set(image.pixels).size).toBeGreaterThan(2)
  })
})
