import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlcoveError } from '#common/errors.ts'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { readInstanceBytes } from '../read/instance.ts'
import type { PixelArray } from '../types.ts'
import { decodeFrame } from './decode-frame.ts'
import { decodeNthFrame, frameBytes } from './decode-file.ts'
import { pixelFormat } from './pixel-format.ts'

/** Files with pixel data that Alcove does not show, and the error a person gets. An entry that starts to work fails the test. */
const KNOWN_GAPS: Record<string, string> = {
  // H.264: no decoder for video yet.
  'assembled/video_h264_friday_640x480.dcm': 'dicom/unsupported-transfer-syntax',
  // 62 bytes short of the last row.
  'pydicom/MR_truncated.dcm': 'dicom/truncated',
  // Its size marker is overwritten by the delimiter it tests: GDCM refuses it, too.
  'pydicom/JPEG2000-embedded-sequence-delimiter.dcm': 'dicom/undecodable-pixels',
  // Neither a transfer syntax nor Rows and Columns: test objects for parsers, no images.
  'pydicom/meta_missing_tsyntax.dcm': 'dicom/corrupt',
  'pydicom/nested_priv_SQ.dcm': 'dicom/missing-attribute',
}

/** Images Alcove shows and no reference tool of Debian reads; each is checked otherwise, below. */
const NO_REFERENCE = ['orthanc-jxl/test_ct1_jxl.dcm', 'pydicom/badVR.dcm']

/** Grey levels a lossy image may differ by. Lossless ones may not differ at all. */
const LOSSY_TOLERANCE = 1
/** Native YBR: the reference rounds a floating-point matrix, Alcove the fixed-point one of the JPEG libraries. */
const YBR_TOLERANCE = 1

interface Reference {
  path: string
  transferSyntax: string
  lossy: boolean
  tool?: string
  frames?: number
  file?: string
  /** Copy with valid identifiers, for a file that lacks them (the import refuses the original). */
  amended?: string
  reason?: string
}

const tools =
  spawnSync('/usr/bin/python3', ['-c', 'import pydicom, numpy, PIL']).status === 0 &&
  ['dcmdjpeg', 'dcmdjpls', 'dcmdrle', 'gdcmconv'].every((tool) => spawnSync(tool, ['--version']).error === undefined)

describe.skipIf(sharedData === null || !tools)('every sample image against DCMTK, GDCM and pydicom', () => {
  let folder: string
  let references: Reference[]

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alcove-reference-pixels-'))
    const script = join(import.meta.dirname, 'testing/reference_pixels.py')
    await promisify(execFile)('/usr/bin/python3', [script, sharedPath('dicom'), folder])
    references = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as Reference[]
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('decodes to the same pixels, or is a known gap', async () => {
    expect(references.length).toBeGreaterThan(840)
    const wrong: string[] = []
    const unread: Record<string, string> = {}
    const unreferenced: string[] = []
    for (const reference of references) {
      const outcome = await compare(folder, reference)
      if (outcome === 'unreferenced') unreferenced.push(reference.path)
      else if (typeof outcome === 'object') unread[reference.path] = outcome.code
      else if (outcome !== 'same') wrong.push(`${reference.path} (${reference.tool}): ${outcome}`)
    }
    expect(wrong).toEqual([])
    expect(unread).toEqual(KNOWN_GAPS)
    expect(unreferenced.sort()).toEqual([...NO_REFERENCE].sort())
  }, 300_000)
})

describe.skipIf(sharedData === null)('images no Debian tool reads', () => {
  const pixels = async (path: string): Promise<PixelArray> =>
    (await decodeNthFrame(await readFile(sharedPath('dicom', path)), 1)).pixels

  it('JPEG XL equals the same slice uncompressed', async () => {
    expect(await pixels('orthanc-jxl/test_ct1_jxl.dcm')).toEqual(await pixels('orthanc-jxl/test_ct1.dcm'))
  })

  it('1-bit RLE equals the uncompressed segmentation', async () => {
    expect(await pixels('pydicom-data/liver_rle.dcm')).toEqual(await pixels('pydicom/liver_1frame.dcm'))
  })

  it('an unreadable VR elsewhere does not spoil the dose grid', async () => {
    expect(await pixels('pydicom/badVR.dcm')).toEqual(await pixels('pydicom/rtdose.dcm'))
  })
})

/** 'same', 'unreferenced', what is wrong, or the code Alcove refuses it with. */
async function compare(folder: string, reference: Reference): Promise<string | { code: string }> {
  const { amended } = reference
  const file = await readFile(amended === undefined ? sharedPath('dicom', reference.path) : join(folder, amended))
  const expected = reference.file === undefined ? null : await readFile(join(folder, reference.file))
  try {
    const { head, parts } = readInstanceBytes(file)
    const format = pixelFormat(head.dataset, head.transferSyntaxUID)
    if (expected !== null && head.frames !== reference.frames)
      return `${head.frames} frames instead of ${reference.frames}`
    const native = format.photometricInterpretation.startsWith('YBR') && reference.tool === 'pydicom'
    const tolerance = reference.lossy ? LOSSY_TOLERANCE : native ? YBR_TOLERANCE : 0
    let at = 0
    for (let frame = 1; frame <= head.frames; frame++) {
      const { pixels } = await decodeFrame(frameBytes(head, parts, frame), format)
      if (expected === null) continue
      const difference = worstDifference(pixels, expected.subarray(at, (at += pixels.byteLength)))
      if (!(difference <= tolerance)) return `frame ${frame} differs by up to ${difference}`
    }
    if (expected === null) return 'unreferenced'
    return at === expected.length ? 'same' : `${at} bytes instead of ${expected.length}`
  } catch (error) {
    if (isAlcoveError(error)) return { code: error.code }
    throw error
  }
}

/** Largest absolute difference; NaN when the lengths differ. NaN equals NaN (padding of float maps). */
function worstDifference(pixels: PixelArray, expectedBytes: Uint8Array): number {
  if (pixels.byteLength !== expectedBytes.length) return Number.NaN
  if (Buffer.compare(Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength), expectedBytes) === 0) return 0
  const own = new Uint8Array(expectedBytes)
  const expected = new (pixels.constructor as new (buffer: ArrayBuffer) => PixelArray)(own.buffer)
  let worst = 0
  for (let k = 0; k < pixels.length; k++) worst = Math.max(worst, Math.abs(pixels[k]! - expected[k]!))
  return worst
}
