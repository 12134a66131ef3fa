import { describe, expect, it } from 'vitest'
import type { DicomJsonDataset } from './json.ts'
import { requireSuvFactor, suvBodyWeight } from './suv.ts'

type Changes = Record<string, (string | number)[] | undefined>

/** 70 kg, 370 MBq of F-18, injected at 12:00, scanned at 13:00: PET in Bq/ml, corrected to the start of the scan. */
function pet(changes: Changes = {}, injection: Changes = {}): DicomJsonDataset {
  const elements = (values: Changes): DicomJsonDataset =>
    Object.fromEntries(
      Object.entries(values).flatMap(([tag, Value]) => (Value === undefined ? [] : [[tag, { vr: 'UN', Value }]])),
    )
  return {
    ...elements({
      '00080060': ['PT'],
      '00080021': ['20240301'],
      '00080031': ['130000'],
      '00080022': ['20240301'],
      '00080032': ['130200.5'],
      '00101030': [70],
      '00280051': ['NORM', 'ATTN', 'DECY'],
      '00541001': ['BQML'],
      '00541102': ['START'],
      ...changes,
    }),
    '00540016': {
      vr: 'SQ',
      Value: [elements({ '00181072': ['120000'], '00181074': [370e6], '00181075': [6586.2], ...injection })],
    },
  }
}

const factor = (...series: DicomJsonDataset[]): number => requireSuvFactor(series).factor
const failure = (...series: DicomJsonDataset[]): string | null => {
  const result = suvBodyWeight(series)
  return result.ok ? null : result.reason
}

describe('SUV by body weight', () => {
  it('decays the dose from injection to series time', () => {
    // 2^(-3600 / 6586.2) = 0.684633; 70000 / (370e6 × 0.684633) = 2.763367e-4
    expect(factor(pet())).toBeCloseTo(2.763367e-4, 9)
    expect(factor(pet()) / factor(pet({ '00541102': ['ADMIN'] }))).toBeCloseTo(1 / 0.684633, 5)
  })

  it('takes an injection later in the day than the scan for the evening before', () => {
    const early = pet({ '00080031': ['003000'], '00080032': ['003000'] }, { '00181072': ['233000'] })
    expect(suvBodyWeight([early])).toMatchObject({ ok: true, decaySeconds: 3600 })
  })

  it('prefers the full date and time, and its time of day when the date cannot be', () => {
    const full = pet({ '00080031': ['003000'], '00080032': ['003000'] }, { '00181078': ['20240229233000.00'] })
    expect(suvBodyWeight([full])).toMatchObject({ ok: true, decaySeconds: 3600 })
    const shifted = pet({}, { '00181078': ['20240305113000.00'], '00181072': undefined })
    expect(suvBodyWeight([shifted])).toMatchObject({ ok: true, decaySeconds: 5400 })
  })

  it('does not trust a series time later than the first acquisition', () => {
    const rewritten = { '00080031': ['180000'], '00080032': ['131000'] }
    expect(suvBodyWeight([pet(rewritten), pet({ ...rewritten, '00080032': ['130500'] })])).toMatchObject({
      decaySeconds: 3900,
    })
    // Frame of 600 s whose reference time is its mean count-rate time after the start: start = 13:10:00 − reference + mean.
    // λ = ln2/6586.2 = 1.052423e-4, x = λ·600 = 0.0631454, mean = ln(x / (1 − e^−x)) / λ = 298.42 s
    const framed = { ...rewritten, '00181242': [600000], '00541300': [600000 + 298420] }
    const result = suvBodyWeight([pet(framed)])
    expect(result.ok && result.decaySeconds).toBeCloseTo(4200 - 600, 1)
    // GE keeps the scan time aside.
    const ge = { ...rewritten, '00090010': ['GEMS_PETD_01'], '0009100D': ['20240301130100.00'] }
    expect(suvBodyWeight([pet(ge)])).toMatchObject({ decaySeconds: 3660 })
  })

  it('reads Philips factors and takes GML as it is', () => {
    const philips = { '00541001': ['CNTS'], '70530010': ['Philips PET Private Group'] }
    expect(factor(pet({ ...philips, '70531000': [0.00071] }))).toBe(0.00071)
    expect(factor(pet({ ...philips, '70531009': [2] })) / factor(pet())).toBeCloseTo(2, 12)
    const unknown = { ...pet(philips), '70531000': { vr: 'UN', InlineBinary: btoaOfAscii('0.0005') } }
    expect(factor(unknown)).toBe(0.0005)
    expect(failure(pet(philips))).toBe('units')
    expect(factor(pet({ '00541001': ['GML'] }))).toBe(1)
    expect(failure(pet({ '00541001': ['GML'], '00541006': ['LBM'] }))).toBe('suv-type')
  })

  it.each([
    ['weight', pet({ '00101030': undefined })],
    ['weight', pet({ '00101030': [0] })],
    ['dose', pet({}, { '00181074': undefined })],
    ['half-life', pet({}, { '00181075': undefined })],
    ['times', pet({}, { '00181072': undefined })],
    ['times', pet({ '00080031': undefined, '00080032': undefined })],
    ['decay-correction', pet({ '00541102': ['NONE'] })],
    ['not-corrected', pet({ '00280051': ['DECY'] })],
    ['not-corrected', pet({ '00280051': undefined })],
    ['units', pet({ '00541001': ['PROPCNTS'] })],
    ['not-pet', pet({ '00080060': ['CT'] })],
    ['rescale', pet({ '00281052': [-10] })],
  ] as const)('says why not: %s', (reason, dataset) => {
    expect(failure(dataset)).toBe(reason)
    expect(() => requireSuvFactor([dataset])).toThrow(expect.objectContaining({ code: 'suv/not-computable' }))
  })

  it('says so without images', () => {
    expect(failure()).toBe('no-series')
  })
})

/** "0.0005" in base64, written by hand so that no decoder checks itself. */
function btoaOfAscii(text: '0.0005'): string {
  return { '0.0005': 'MC4wMDA1' }[text]
}
