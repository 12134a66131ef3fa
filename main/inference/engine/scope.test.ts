import { describe, expect, it } from 'vitest'
import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { ageYears, scopeWarnings, viewSuits } from './scope.ts'

const dataset = (elements: Record<string, string>): DicomJsonDataset =>
  Object.fromEntries(Object.entries(elements).map(([tag, value]) => [tag, { vr: 'CS', Value: [value] }]))

describe('what a model was made for', () => {
  it('reads the age from the header, or from birth and study date', () => {
    expect(ageYears(dataset({ '00101010': '018M' }))).toBe(1.5)
    expect(ageYears(dataset({ '00101010': '045Y' }))).toBe(45)
    expect(ageYears(dataset({ '00101010': '003W' }))).toBeCloseTo(21 / 365.25, 12)
    // 1 January 2000 to 1 January 2004 is 1461 days.
    expect(ageYears(dataset({ '00100030': '20000101', '00080020': '20040101' }))).toBe(4)
    expect(ageYears(dataset({ '00100030': '20040101', '00080020': '20000101' }))).toBeNull()
    expect(ageYears({})).toBeNull()
  })

  it('warns about ages and body parts outside, and not about what the header does not say', () => {
    const scope = { ageYears: { min: 1, max: 5 }, bodyParts: ['CHEST'] }
    expect(scopeWarnings(dataset({ '00101010': '045Y', '00180015': 'ABDOMEN' }), scope)).toEqual([
      expect.stringContaining('1 to 5 years'),
      expect.stringContaining('abdomen'),
    ])
    expect(scopeWarnings(dataset({ '00101010': '006M' }), scope)).toHaveLength(1)
    expect(scopeWarnings(dataset({ '00101010': '005Y', '00180015': 'CHEST' }), scope)).toEqual([])
    expect(scopeWarnings({}, scope)).toEqual([])
    expect(scopeWarnings(dataset({ '00101010': '045Y' }), undefined)).toEqual([])
  })

  it('leaves out images that state another view', () => {
    const scope = { viewPositions: ['PA', 'AP'] }
    expect(viewSuits(dataset({ '00185101': 'LL' }), scope)).toBe(false)
    expect(viewSuits(dataset({ '00185101': 'AP' }), scope)).toBe(true)
    expect(viewSuits({}, scope)).toBe(true)
    expect(viewSuits(dataset({ '00185101': 'LL' }), undefined)).toBe(true)
  })
})
