import { describe, expect, it } from 'vitest'
import { DEFAULT_TEXT_READER, textReader } from './charset.ts'
import { readInstanceBytes } from './index.ts'
import { el, EXPLICIT, identity, item, ITEM, part10 } from './testing/elements.ts'

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}

describe('examples of the standard', () => {
  it.each([
    [
      'PS3.5 H.3.1: JIS X 0208 after ASCII',
      '\\ISO 2022 IR 87',
      '59616D6164615E5461726F75 3D 1B2442 3B334544 1B2842 5E 1B2442 42404F3A 1B2842 3D 1B2442 2464245E2440 1B2842 5E 1B2442 243F246D2426 1B2842',
      'Yamada^Tarou=山田^太郎=やまだ^たろう',
    ],
    [
      'PS3.5 H.3.2: JIS X 0201 and JIS X 0208',
      'ISO 2022 IR 13\\ISO 2022 IR 87',
      'D4CFC0DE 5E C0DBB3 3D 1B2442 3B334544 1B284A 5E 1B2442 42404F3A 1B284A 3D 1B2442 2464245E2440 1B284A 5E 1B2442 243F246D2426 1B284A',
      'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
    ],
    [
      'PS3.5 I.2: KS X 1001',
      '\\ISO 2022 IR 149',
      '486F6E675E47696C646F6E67 3D 1B242943 FBF3 5E 1B242943 D1CED4D7 3D 1B242943 C8AB 5E 1B242943 B1E6B5BF',
      'Hong^Gildong=洪^吉洞=홍^길동',
    ],
    [
      'PS3.5 J.1: UTF-8',
      'ISO_IR 192',
      '57616E675E5869616F446F6E67 3D E78E8B 5E E5B08F E69DB1 3D',
      'Wang^XiaoDong=王^小東=',
    ],
    ['PS3.5 J.3: GB18030', 'GB18030', '57616E675E5869616F446F6E67 3D CDF5 5E D0A1B6AB 3D', 'Wang^XiaoDong=王^小东='],
    [
      'PS3.5 K.2: GB 2312',
      '\\ISO 2022 IR 58',
      '5A68616E675E5869616F446F6E67 3D 1B242941 D5C5 5E 1B242941 D0A1B6AB 3D',
      'Zhang^XiaoDong=张^小东=',
    ],
    ['PS3.5 table of PN examples: Arabic', 'ISO_IR 127', 'E2C8C7E6EA 5E E4E6D2C7D1', 'قباني^لنزار'],
    ['Greek', 'ISO_IR 126', 'C4E9EFEDF5F3E9EFF2', 'Διονυσιος'],
    ['Cyrillic', 'ISO_IR 144', 'BBEEDA6365DCD17970D3', 'Люкceмбypг'],
    ['Hebrew', 'ISO_IR 138', 'F9F8E5EF 5E E3E1E5F8E4', 'שרון^דבורה'],
    ['Latin-1, misspelt by a device', 'ISO-IR 100', '42E46C', 'Bäl'],
  ])('%s', (_name, terms, hex, expected) => {
    expect(textReader(terms.split('\\')).decode(bytes(hex))).toBe(expected)
  })
})

describe('what the standard leaves to care', () => {
  it('keeps 0x5C inside a two-byte character from separating values', () => {
    // 815C is one character in GB18030; 305C one in JIS X 0208 (values by Python's codecs).
    expect(textReader(['GB18030']).decode(bytes('815C'))).toBe('乗')
    expect(textReader(['', 'ISO 2022 IR 87']).decode(bytes('1B2442 305C 1B2842'))).toBe('移')
  })

  it('reads JIS X 0212', () => {
    expect(textReader(['', 'ISO 2022 IR 159']).decode(bytes('1B242844 3021 1B2842'))).toBe('\u4e02')
  })

  it('returns to the first set at each delimiter', () => {
    // Cyrillic by escape, then a caret: the next bytes above 0x80 are Latin-1 again.
    const reader = textReader(['ISO 2022 IR 100', 'ISO 2022 IR 144'])
    expect(reader.decode(bytes('1B2D4C BB 5E E4'))).toBe('Л^ä')
  })

  it('reads undeclared text as UTF-8 where it is that, otherwise as Latin-1', () => {
    expect(DEFAULT_TEXT_READER.decode(bytes('C3A4'))).toBe('ä')
    expect(DEFAULT_TEXT_READER.decode(bytes('E4'))).toBe('ä')
  })

  it('survives unknown sets and unknown escapes', () => {
    expect(textReader(['ISO_IR 999']).decode(bytes('41E4'))).toBe('Aä')
    expect(textReader(['', 'ISO 2022 IR 87']).decode(bytes('41 1B7A 42'))).toBe('AzB')
  })

  it('lets an item of a sequence have its own set, and says UTF-8 in the JSON', () => {
    const nested = Buffer.concat([el(0x00080005, 'CS', 'ISO_IR 126'), el(0x00100010, 'PN', bytes('C4E9EF20'))])
    const file = part10(
      '1.2.840.10008.1.2.1',
      Buffer.concat([
        el(0x00080005, 'CS', 'ISO_IR 144'),
        identity(
          EXPLICIT,
          Buffer.concat([el(0x00081140, 'SQ', item(ITEM, nested)), el(0x00100010, 'PN', bytes('BBEE'))]),
        ),
      ]),
    )
    const { dataset } = readInstanceBytes(file).head
    expect(dataset['00080005']).toEqual({ vr: 'CS', Value: ['ISO_IR 192'] })
    expect(dataset['00100010']).toEqual({ vr: 'PN', Value: [{ Alphabetic: 'Лю' }] })
    expect(dataset['00081140']?.Value).toEqual([
      { '00080005': { vr: 'CS', Value: ['ISO_IR 192'] }, '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Διο' }] } },
    ])
  })
})
