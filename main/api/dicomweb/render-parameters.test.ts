import { describe, expect, it } from 'vitest'
import { parseRenderParameters } from './render-parameters.ts'

const parse = (query: string) => parseRenderParameters(new Request(`http://x/rendered${query}`), 'image/jpeg')

describe('parseRenderParameters', () => {
  it('has the defaults of a plain request', () => {
    expect(parse('')).toEqual({ media: 'image/jpeg', viewport: null, region: null, window: null, quality: 90 })
  })

  it('reads window, viewport and quality', () => {
    expect(parse('?window=-600,1500,linear&viewport=100,50&quality=40')).toMatchObject({
      window: { center: -600, width: 1500, function: 'LINEAR' },
      viewport: { width: 100, height: 50 },
      region: null,
      quality: 40,
    })
    expect(parse('?window=0.5,0.1,linear-exact').window!.function).toBe('LINEAR_EXACT')
    expect(parse('?viewport=10,10,,,-5,5').region).toEqual({ x: 0, y: 0, width: -5, height: 5 })
  })

  it.each([
    '?window=1',
    '?window=1,0,linear',
    '?window=,10,linear',
    '?window=1,10,cubic',
    '?window=1,0.5,linear',
    '?viewport=100',
    '?viewport=0,10',
    '?viewport=99999,10',
    '?viewport=1,1,a,1,1,1',
    '?viewport=1,1,0,0,0,1',
    '?quality=0',
    '?quality=101',
    '?quality=x',
  ])('refuses %s', (query) => {
    expect(() => parse(query)).toThrow(expect.objectContaining({ code: 'request/invalid' }) as Error)
  })
})
