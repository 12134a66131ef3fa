import { describe, expect, it } from 'vitest'
import { glob, matches, matchesValue, timeRange } from './match.ts'

const m = (vr: string, value: string | number, key: string) => matchesValue(value, vr, key)

describe('wildcards (PS3.4 C.2.2.2.4)', () => {
  it.each([
    ['CHEST', 'CHEST', true],
    ['CHEST', 'chest', false],
    ['CHEST', 'CH*', true],
    ['CHEST', '*EST', true],
    ['CHEST', 'C?EST', true],
    ['CHEST', 'C?ST', false],
    ['CHEST', '*', true],
    ['', '*', true],
    ['', '?', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['a[b]', 'a[b]', true],
    ['aXbXc', 'a*b*c', true],
    ['aab', 'a*ab', true],
  ])('%j ~ %j: %s', (text, pattern, expected) => expect(glob(text, pattern)).toBe(expected))

  it('takes no more than text × pattern steps', () => {
    const started = performance.now()
    expect(glob('a'.repeat(20_000), `${'*a'.repeat(40)}*b`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})

describe('values', () => {
  it('compares person names without case, accents and trailing carets, in each of their groups', () => {
    expect(m('PN', 'Müller^Anna^^', 'muller^anna')).toBe(true)
    expect(m('PN', 'Müller^Anna', 'MÜLL*')).toBe(true)
    expect(m('PN', 'Müller^Anna', 'anna')).toBe(false)
    const yamada = { Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' }
    const dataset = { '00100010': { vr: 'PN', Value: [yamada] } }
    const key = (value: string) => ({ path: ['00100010'], vr: 'PN', value })
    expect(matches(dataset, key('山田*'))).toBe(true)
    expect(matches(dataset, key('yamada^tarou'))).toBe(true)
    expect(matches(dataset, key('Suzuki*'))).toBe(false)
  })

  it('compares dates and times as ranges with open ends', () => {
    expect(m('DA', '20240229', '20240101-20241231')).toBe(true)
    expect(m('DA', '20240229', '20240301-')).toBe(false)
    expect(m('DA', '20240229', '-20240229')).toBe(true)
    expect(m('DA', '2024.02.29', '20240229')).toBe(true)
    expect(m('DA', '20240229', '20240228')).toBe(false)
    expect(m('TM', '101500.123', '1000-1015')).toBe(true)
    expect(m('TM', '101500.123', '1016-')).toBe(false)
    expect(m('TM', '101500.123', '101500')).toBe(true)
    expect(m('DT', '20240229101500', '20240229-20240301')).toBe(true)
    expect(timeRange('DT', '20240229101500-0500')).toEqual(null)
    expect(timeRange('DA', '-')).toBe(null)
  })

  it('compares numbers as numbers, UIDs as lists, and everything else exactly', () => {
    expect(m('IS', 7, '007')).toBe(true)
    expect(m('DS', '1.50', '1.5')).toBe(true)
    expect(m('UI', '1.2.3', '1.2.2,1.2.3')).toBe(true)
    expect(m('UI', '1.2.3', '1.2.2\\1.2.30')).toBe(false)
    expect(m('UI', '1.2.3', '1.2.*')).toBe(false)
    expect(m('LO', 'ABC', 'abc')).toBe(false)
  })

  it('follows paths through sequences and finds any of several values', () => {
    const dataset = {
      '00400275': {
        vr: 'SQ',
        Value: [{ '00400009': { vr: 'SH', Value: ['A1'] } }, { '00400009': { vr: 'SH', Value: ['B2'] } }],
      },
      '00080008': { vr: 'CS', Value: ['DERIVED', 'SECONDARY'] },
    }
    expect(matches(dataset, { path: ['00400275', '00400009'], vr: 'SH', value: 'B2' })).toBe(true)
    expect(matches(dataset, { path: ['00400275', '00400009'], vr: 'SH', value: 'C*' })).toBe(false)
    expect(matches(dataset, { path: ['00080008'], vr: 'CS', value: 'SECONDARY' })).toBe(true)
    expect(matches({}, { path: ['00080008'], vr: 'CS', value: 'X' })).toBe(false)
    expect(matches({}, { path: ['00080008'], vr: 'CS', value: '' })).toBe(true)
  })
})
