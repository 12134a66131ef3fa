import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readInstanceBytes } from '../read/index.ts'
import { hasPydicom, python } from '../read/testing/python.ts'
import { decimalString, fromKeywords, newUid, uidOf, writePart10 } from './index.ts'

const IDENTITY = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
  SOPInstanceUID: '1.2.3.4',
  StudyInstanceUID: '1.2.3.5',
  SeriesInstanceUID: '1.2.3.6',
}

const MANY = fromKeywords({
  ...IDENTITY,
  PatientName: 'Müller^Jörg',
  PatientID: 'A1',
  PatientWeight: 75.5,
  ImageType: ['DERIVED', 'SECONDARY'],
  SeriesNumber: -3,
  ImagePositionPatient: [-123.456789012347, 1e-7, 0],
  ReferencedSeriesSequence: [
    { SeriesInstanceUID: '1.2', ReferencedInstanceSequence: [{ ReferencedSOPInstanceUID: '1.2.3' }, {}] },
    {},
  ],
  FrameIncrementPointer: ['00181063'],
  Rows: 2,
  RecommendedDisplayCIELabValue: [1, 2, 65535],
  TextValue: 'ends with ä',
  SelectorFDValue: [Math.PI, -1.5e300],
  SelectorFLValue: 0.5,
  SelectorSLValue: [-2147483648, 2147483647],
  SelectorUVValue: 12345678901,
  AccessionNumber: null,
  ICCProfile: new Uint8Array([1, 2, 3]),
})

describe('writePart10', () => {
  it('is read back as it was written, by our own reader', () => {
    const file = writePart10(MANY, { pixels: { vr: 'OB', bytes: new Uint8Array([9, 8, 7]) } })
    const { head, parts } = readInstanceBytes(file)
    expect(head.dataset).toEqual({
      ...MANY,
      '00080005': { vr: 'CS', Value: ['ISO_IR 192'] },
      '00200032': { vr: 'DS', Value: [-123.45678901235, 1e-7, 0] },
      '00282000': { vr: 'OB', InlineBinary: 'AQIDAA==' },
    })
    expect(parts.filter((part) => part.kind === 'frame').map((part) => [...part.bytes])).toEqual([[9, 8, 7, 0]])
  })

  it('puts compressed frames into fragments with an offset table', () => {
    const frames = [new Uint8Array([0xff, 0xd8, 0xff]), new Uint8Array([1, 2])]
    const dataset = fromKeywords({ ...IDENTITY, NumberOfFrames: 2, Rows: 1, Columns: 1, BitsAllocated: 8 })
    const file = writePart10(dataset, { transferSyntaxUID: '1.2.840.10008.1.2.4.50', pixels: { frames } })
    const { parts } = readInstanceBytes(file)
    expect(parts.filter((part) => part.kind === 'frame').map((part) => [part.frame, ...part.bytes])).toEqual([
      [1, 0xff, 0xd8, 0xff, 0],
      [2, 1, 2],
    ])
  })

  it('refuses what it cannot write', () => {
    expect(() => writePart10(MANY, { transferSyntaxUID: '1.2.840.10008.1.2' })).toThrow(
      /not written in transfer syntax/,
    )
    expect(() => writePart10({})).toThrow(/SOP Class UID/)
    expect(() => writePart10({ ...MANY, '00280010': { vr: 'US', Value: [70_000] } })).toThrow(/does not fit/)
    expect(() => writePart10({ ...MANY, '00282000': { vr: 'OB', BulkDataURI: 'bulk:1:2' } })).toThrow(/not at hand/)
    expect(() => fromKeywords({ NoSuchThing: 1 })).toThrow(/no element NoSuchThing/)
  })

  describe.skipIf(!hasPydicom)('as pydicom reads it', () => {
    let folder = ''
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'alcove-write-'))
    })
    afterAll(() => rm(folder, { recursive: true, force: true }))

    it('holds the same values', async () => {
      const file = join(folder, 'a.dcm')
      await writeFile(file, writePart10(MANY))
      const seen = await python<Record<string, unknown>>(
        `import pydicom, sys, json
ds = pydicom.dcmread(sys.argv[1])
print(json.dumps({'name': str(ds.PatientName), 'text': ds.TextValue, 'position': [str(v) for v in ds.ImagePositionPatient],
 'items': len(ds.ReferencedSeriesSequence), 'inner': ds.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID,
 'pointer': int(ds.FrameIncrementPointer), 'fd': list(ds.SelectorFDValue), 'sl': list(ds.SelectorSLValue), 'uv': ds.SelectorUVValue,
 'empty': ds.AccessionNumber, 'profile': list(ds.ICCProfile), 'charset': ds.SpecificCharacterSet,
 'meta': [str(ds.file_meta.TransferSyntaxUID), str(ds.file_meta.MediaStorageSOPInstanceUID), ds.file_meta.ImplementationVersionName],
 'length': ds.file_meta.FileMetaInformationGroupLength}))`,
        [file],
      )
      expect(seen).toMatchObject({
        name: 'Müller^Jörg',
        text: 'ends with ä',
        position: ['-123.45678901235', '1e-7', '0'],
        items: 2,
        inner: '1.2.3',
        pointer: 0x00181063,
        fd: [Math.PI, -1.5e300],
        sl: [-2147483648, 2147483647],
        uv: 12345678901,
        empty: '',
        profile: [1, 2, 3, 0],
        charset: 'ISO_IR 192',
        meta: ['1.2.840.10008.1.2.1', '1.2.3.4', 'ALCOVE_0_1'],
      })
    })
  })
})

describe('decimal strings', () => {
  it.each([
    [0.1, '0.1'],
    [-123.456789012347, '-123.45678901235'],
    [1 / 3, '0.33333333333333'],
    [-1 / 3, '-0.3333333333333'],
    [123456789012345680000, '1.2345678901e+20'],
    [4.9e-324, '5e-324'],
    [1.2345678901234e-100, '1.23456789e-100'],
  ])('%d', (value, expected) => {
    const text = decimalString(value)
    expect(text.length).toBeLessThanOrEqual(16)
    expect(text).toBe(expected)
  })

  it('refuses infinity', () => {
    expect(() => decimalString(Infinity)).toThrow(/infinite/)
  })
})

describe('UIDs', () => {
  it('are valid, fresh, or the same for the same name', () => {
    expect(newUid()).toMatch(/^2\.25\.[1-9]\d{0,38}$/)
    expect(newUid()).not.toBe(newUid())
    expect(uidOf('a')).toBe(uidOf('a'))
    expect(uidOf('a')).not.toBe(uidOf('b'))
    expect(uidOf('a')).toMatch(/^2\.25\.[1-9]\d{0,38}$/)
  })
})
