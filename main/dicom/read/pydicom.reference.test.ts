import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { isAlcoveError } from '#common/errors.ts'
import type { DicomJsonDataset, DicomJsonElement } from '#common/dicom/json.ts'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { readInstance, readInstanceBytes } from './index.ts'
import { hasPydicom, python } from './testing/python.ts'

/** Everything pydicom reads, as its own DICOM JSON, and a digest of each frame as stored. */
const SCRIPT = String.raw`
import hashlib, json, os, sys
import pydicom
from pydicom.encaps import generate_pixel_data_frame
root, out = sys.argv[1], {}
def frames(ds):
    if 'PixelData' not in ds or len(ds.PixelData) == 0: return []
    n = int(ds.get('NumberOfFrames') or 1)
    if ds['PixelData'].is_undefined_length:
        return [hashlib.sha256(f).hexdigest() for f in generate_pixel_data_frame(ds.PixelData, n)]
    if ds.BitsAllocated == 1: return None
    samples = 2 if ds.PhotometricInterpretation == 'YBR_FULL_422' else ds.SamplesPerPixel
    size = ds.Rows * ds.Columns * samples * ds.BitsAllocated // 8
    return [hashlib.sha256(ds.PixelData[i * size:(i + 1) * size]).hexdigest() for i in range(n)]
for name in json.loads(sys.argv[2]):
    try:
        ds = pydicom.dcmread(os.path.join(root, name), force=True)
        try: digests = frames(ds)
        except ValueError: digests = None
        for tag in (0x7fe00010, 0x7fe00008, 0x7fe00009):
            if tag in ds: del ds[tag]
        out[name] = {'json': ds.to_json_dict(bulk_data_threshold=1025, bulk_data_element_handler=lambda e: 'bulk', suppress_invalid_tags=True), 'frames': digests}
    except Exception as error:
        out[name] = {'error': repr(error)}
text = json.dumps(out)
print(text.replace('NaN', '"NaN"').replace('-Infinity', '"-Infinity"'))
`

const STUDY = 'dicom/missing-attribute: Study Instance UID (0020,000D) is missing.'
const CLASS = 'dicom/missing-attribute: SOP Class UID (0008,0016) is missing.'
const SOP = 'dicom/missing-attribute: SOP Instance UID (0008,0018) is missing.'
const NO_UID = 'dicom/corrupt: SOP Instance UID (0008,0018) is no UID (digits and dots, at most 64 characters).'
const DICOMDIR = 'dicom/dicomdir: This is a DICOMDIR, an index of files; import the folder it stands in.'
const NOT_DICOM = 'dicom/not-dicom: This is no DICOM file: neither the DICM prefix nor a first data element is there.'

/** Every file that is refused, and why; pydicom and dcmdump show the same lack in each. */
const REFUSED: Readonly<Record<string, string>> = {
  'cs-codecs/openjphjs/test/fixtures/j2c/CT1.j2c': NOT_DICOM,
  'cs-codecs/openjphjs/test/fixtures/j2c/NM1.j2c': NOT_DICOM,
  'nibabel/decimal_rescale.dcm': CLASS,
  'pydicom-data/HTJ2KLossless_08_RGB.dcm': STUDY,
  'pydicom-data/JLSL_RGB_ILV0.dcm': SOP,
  'pydicom-data/JLSN_RGB_ILV0.dcm': SOP,
  // Identifiers replaced by hexadecimal digests.
  'pydicom-data/bad_sequence.dcm': NO_UID,
  'pydicom/JPEGLSNearLossless_08.dcm': STUDY,
  'pydicom/JPEGLSNearLossless_16.dcm': STUDY,
  'pydicom/MR_truncated.dcm': 'dicom/truncated: The file ends inside frame 1 of 1.',
  'pydicom/SC_rgb_jls_lossy_line.dcm': STUDY,
  'pydicom/SC_rgb_jls_lossy_sample.dcm': STUDY,
  'pydicom/UN_sequence.dcm': CLASS,
  'pydicom/charset_files/chrSQEncoding.dcm': CLASS,
  'pydicom/charset_files/chrSQEncoding1.dcm': CLASS,
  'pydicom/dicomdirtests/DICOMDIR': DICOMDIR,
  'pydicom/dicomdirtests/DICOMDIR-bigEnd': DICOMDIR,
  'pydicom/dicomdirtests/DICOMDIR-empty.dcm': DICOMDIR,
  'pydicom/dicomdirtests/DICOMDIR-implicit': DICOMDIR,
  'pydicom/dicomdirtests/DICOMDIR-nooffset': DICOMDIR,
  'pydicom/dicomdirtests/DICOMDIR-nopatient': DICOMDIR,
  'pydicom/dicomdirtests/DICOMDIR-reordered': DICOMDIR,
  'pydicom/empty_charset_LEI.dcm': CLASS,
  'pydicom/meta_missing_tsyntax.dcm': 'dicom/corrupt: The transfer syntax is missing and cannot be told from the data.',
  'pydicom/nested_priv_SQ.dcm': CLASS,
  // One stray byte (0x20) stands before the first element: nothing begins where it should.
  'pydicom/no_meta.dcm': NOT_DICOM,
  'pydicom/no_meta_group_length.dcm': CLASS,
  'pydicom/palettes/fall.dcm': STUDY,
  'pydicom/palettes/hotiron.dcm': STUDY,
  'pydicom/palettes/hotmetalblue.dcm': STUDY,
  'pydicom/palettes/pet.dcm': STUDY,
  'pydicom/palettes/pet20step.dcm': STUDY,
  'pydicom/palettes/spring.dcm': STUDY,
  'pydicom/palettes/summer.dcm': STUDY,
  'pydicom/palettes/winter.dcm': STUDY,
  'pydicom/priv_SQ.dcm': CLASS,
  'pydicom/rtplan_truncated.dcm': 'dicom/truncated: The file ends inside the element that begins at byte 1410.',
  'weasis-dicom-tools/hp/NeurosurgeryPlan.dcm': STUDY,
  // 68 characters.
  'weasis-dicom-tools/jpeg2000-multiframe-multifragments.dcm': NO_UID,
}

/**
 * Where our DICOM JSON and pydicom 2.3's differ, and who is right. Keys are what `difference` returns; a difference
 * that is not listed fails the test.
 */
const EXPLAINED: readonly { what: RegExp; why: string }[] = [
  {
    what: /^value (CS|LO)$/,
    why: 'pydicom keeps the padding inside multiple values ("DERIVED ") and writes empty ones as "" where PS3.18 F.2.5 asks for null',
  },
  {
    what: /^only ours IS 00280008 pydicom\/badVR\.dcm$/,
    why: 'Number of Frames "1A": pydicom drops what is no number, PS3.18 lets IS be text',
  },
  {
    what: /^value UV$/,
    why: 'above 2^53 we write text (PS3.18 table F.2.3-1); JSON.parse rounds the number pydicom writes',
  },
  {
    what: /^vr UN (SH|LO|US|CS|SS|FL) private$/,
    why: "private elements of creators that only pydicom's table knows: bytes stay bytes",
  },
  {
    what: /^bulk private pydicom\/J2K_pixelrep_mismatch\.dcm$/,
    why: 'pydicom counts the Base64 text, we the bytes, to decide what is more than 1 KiB',
  },
  {
    what: /^value (SL|SS|US|FL|FD) private .*BigEndian/,
    why: 'UN in a big-endian file: PS3.5 6.2.2 says little endian, which gives the same CT as in its 15 other encodings; pydicom swaps',
  },
]

type Report = Record<string, { json: DicomJsonDataset; frames: string[] | null } | { error: string }>

function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= 1e-12 * Math.abs(b)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => equal(left[key], right[key]))
}

interface Compared {
  elements: number
  differences: Map<string, string[]>
}

function note(compared: Compared, kind: string, where: string): void {
  const list = compared.differences.get(kind) ?? []
  if (list.length < 3) list.push(where)
  compared.differences.set(kind, list)
}

function compareElement(
  ours: DicomJsonElement,
  theirs: DicomJsonElement,
  tag: string,
  file: string,
  path: string,
  compared: Compared,
): void {
  const kind = Number.parseInt(tag.slice(0, 4), 16) % 2 === 1 ? 'private' : 'public'
  if (ours.vr !== theirs.vr) return note(compared, `vr ${ours.vr} ${theirs.vr} ${kind}`, path)
  if (ours.vr === 'SQ') {
    const [mine, other] = [ours.Value ?? [], theirs.Value ?? []]
    if (mine.length !== other.length) return note(compared, `items ${file}`, path)
    mine.forEach((item, index) =>
      compare(item as DicomJsonDataset, other[index] as DicomJsonDataset, file, `${path}[${index}].`, compared),
    )
    return
  }
  if ((ours.BulkDataURI === undefined) !== (theirs.BulkDataURI === undefined))
    return note(compared, `bulk ${kind} ${file}`, path)
  if (ours.BulkDataURI !== undefined) return
  const sameBytes = (ours.InlineBinary ?? '') === (theirs.InlineBinary ?? '')
  if (sameBytes && equal(ours.Value ?? [], theirs.Value ?? [])) return
  const numeric = ['SL', 'SS', 'US', 'FL', 'FD'].includes(ours.vr)
  note(compared, numeric ? `value ${ours.vr} ${kind} ${file}` : `value ${ours.vr}`, path)
}

/** Our Specific Character Set says what the JSON is in; group lengths and trailing padding are no part of the model. */
function ignored(tag: string): boolean {
  return tag === '00080005' || tag.endsWith('0000') || tag === 'FFFCFFFC'
}

function compare(
  ours: DicomJsonDataset,
  theirs: DicomJsonDataset,
  file: string,
  path: string,
  compared: Compared,
): void {
  for (const tag of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    if (ignored(tag)) continue
    const [mine, other] = [ours[tag], theirs[tag]]
    const where = `${file} ${path}${tag} ${JSON.stringify(mine)?.slice(0, 120)} ${JSON.stringify(other)?.slice(0, 120)}`
    if (mine === undefined || other === undefined) {
      note(compared, `only ${mine === undefined ? 'theirs' : 'ours'} ${(mine ?? other)?.vr} ${tag} ${file}`, where)
      continue
    }
    compared.elements += 1
    compareElement(mine, other, tag, file, where, compared)
  }
}

const OTHER_KINDS = /^LICENSES|\.(?:gz|nii|zip|md|tsv|csv|json)$/

describe.skipIf(sharedData === null || !hasPydicom)('every shared file, against pydicom', () => {
  const files: string[] = []
  let report: Report = {}

  beforeAll(async () => {
    const root = sharedPath('dicom')
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      const name = relative(root, join(entry.parentPath, entry.name))
      if (entry.isFile() && !OTHER_KINDS.test(name)) files.push(name)
    }
    files.sort()
    report = await python<Report>(SCRIPT, [root, JSON.stringify(files)])
  })

  it('is read byte for byte, in memory and streamed, or refused for the reason listed', async () => {
    const refused: Record<string, string> = {}
    for (const name of files) {
      const bytes = await readFile(sharedPath('dicom', name))
      try {
        const { head, parts } = readInstanceBytes(bytes)
        expect(Buffer.concat(parts.map((part) => part.bytes)).equals(bytes), name).toBe(true)
        const stream = await readInstance(pieces(bytes))
        const streamed: Uint8Array[] = []
        for await (const part of stream.parts) streamed.push(part.bytes)
        expect(Buffer.concat(streamed).equals(bytes), name).toBe(true)
        expect(equal(stream.head, head), name).toBe(true)
      } catch (error) {
        if (!isAlcoveError(error)) throw error
        refused[name] = `${error.code}: ${error.message}`
      }
    }
    expect(refused).toEqual(REFUSED)
    expect(files.length - Object.keys(refused).length).toBeGreaterThan(850)
  })

  it('becomes the same DICOM JSON, but for differences that are explained', async () => {
    const compared: Compared = { elements: 0, differences: new Map() }
    for (const name of files) {
      const theirs = report[name]
      if (name in REFUSED || theirs === undefined) continue
      if ('error' in theirs) throw new Error(`pydicom could not read ${name}: ${theirs.error}`)
      compare(
        readInstanceBytes(await readFile(sharedPath('dicom', name))).head.dataset,
        theirs.json,
        name,
        '',
        compared,
      )
    }
    expect(compared.elements).toBeGreaterThan(100_000)
    const unexplained = [...compared.differences].filter(([kind]) => !EXPLAINED.some(({ what }) => what.test(kind)))
    expect(unexplained).toEqual([])
    // An explanation that explains nothing any more is to be removed.
    const idle = EXPLAINED.filter(({ what }) => ![...compared.differences.keys()].some((kind) => what.test(kind)))
    expect(idle).toEqual([])
  })

  it('has its frames where pydicom finds them', async () => {
    let checked = 0
    for (const name of files) {
      const theirs = report[name]
      if (name in REFUSED || theirs === undefined || 'error' in theirs || theirs.frames === null) continue
      const { head, parts } = readInstanceBytes(await readFile(sharedPath('dicom', name)))
      if (head.transferSyntaxUID.endsWith('.4.102') || parts.some((part) => part.kind === 'whole')) continue
      const digests: string[] = []
      for (let frame = 1; frame <= head.frames; frame += 1) {
        const hash = createHash('sha256')
        for (const part of parts) if (part.frame === frame) hash.update(part.bytes)
        digests.push(hash.digest('hex'))
      }
      if (theirs.frames.length > 0) expect(digests, name).toEqual(theirs.frames)
      checked += digests.length
    }
    expect(checked).toBeGreaterThan(800)
  })
})

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 5000) yield await Promise.resolve(bytes.subarray(at, at + 5000))
}
