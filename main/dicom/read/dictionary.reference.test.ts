import { describe, expect, it } from 'vitest'
import { dictionaryEntry, entryOfKeyword, entryOfTag, privateVr } from '#common/dicom/dictionary.ts'
import { hasPydicom, python } from './testing/python.ts'

describe('the data dictionary', () => {
  it('knows elements by tag and by keyword, repeating groups too', () => {
    expect(entryOfTag('00100010')).toEqual({ tag: '00100010', vr: 'PN', keyword: 'PatientName' })
    expect(entryOfKeyword('PixelData')?.tag).toBe('7FE00010')
    expect(dictionaryEntry(0x60023000)).toMatchObject({ vr: 'ox', keyword: 'OverlayData' })
    expect(dictionaryEntry(0x00091001)).toBeNull()
    expect(entryOfKeyword('NoSuchThing')).toBeNull()
  })

  it('knows private elements by their creator only', () => {
    expect(privateVr(0x2005100e, 'Philips MR Imaging DD 001')).toBe('FL')
    expect(privateVr(0x70531009, 'Philips PET Private Group')).toBe('DS')
    expect(privateVr(0x70531009, 'SOMEONE ELSE')).toBeNull()
  })

  it.skipIf(!hasPydicom)('agrees with pydicom, which was made from another edition of PS3.6', async () => {
    const theirs = await python<Record<string, [vr: string, keyword: string]>>(
      'import json\nfrom pydicom._dicom_dict import DicomDictionary as d\nprint(json.dumps({str(k): [v[0], v[4]] for k, v in d.items()}))',
    )
    const ambiguous: Record<string, string> = {
      'US or SS': 'xs',
      'OB or OW': 'ox',
      'US or OW': 'lt',
      'US or SS or OW': 'xs',
    }
    const different: string[] = []
    const missing: string[] = []
    for (const [tag, [vr, keyword]] of Object.entries(theirs)) {
      if (Number(tag) % 0x10000 === 0 || vr === 'NONE') continue
      const ours = dictionaryEntry(Number(tag))
      if (ours === null) missing.push(keyword)
      else if (ours.vr !== (ambiguous[vr] ?? vr)) different.push(`${ours.tag} ${keyword} ${ours.vr} ${vr}`)
    }
    // Retired: pydicom also allows signed values there; the DICOM-RTV elements are file meta of a streaming protocol.
    expect(different).toEqual(['00281200 GrayLookupTableData lt US or SS or OW'])
    expect(missing.filter((keyword) => keyword !== '' && !/^RTV|PresentationAddress$/.test(keyword))).toEqual([])
    expect(Object.keys(theirs).length).toBeGreaterThan(4500)
  })
})
