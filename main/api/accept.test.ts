import { describe, expect, it } from 'vitest'
import { acceptedTypes, negotiate } from './accept.ts'

const request = (accept: string | null, url = 'http://x/'): Request =>
  new Request(url, accept === null ? {} : { headers: { Accept: accept } })

describe('acceptedTypes', () => {
  it('reads quoted parameters and orders by q', () => {
    const accept = 'image/png;q=0.5, multipart/related; type="application/octet-stream"; transfer-syntax=*, a/b;q=0'
    expect(acceptedTypes(request(accept))).toEqual([
      { media: 'multipart/related', parameters: { type: 'application/octet-stream', 'transfer-syntax': '*' }, q: 1 },
      { media: 'image/png', parameters: {}, q: 0.5 },
    ])
  })

  it('keeps commas and semicolons inside quotes', () => {
    expect(acceptedTypes(request('a/b; x="1, 2; 3"'))[0]!.parameters).toEqual({ x: '1, 2; 3' })
  })

  it('lets the query parameter win', () => {
    const [range] = acceptedTypes(request('image/png', 'http://x/?accept=image/jpeg'))
    expect(range!.media).toBe('image/jpeg')
  })
})

describe('negotiate', () => {
  it.each([
    [null, 'image/png'],
    ['*/*', 'image/png'],
    ['image/*', 'image/png'],
    ['image/jpeg', 'image/jpeg'],
    ['image/png;q=0.1, image/jpeg', 'image/jpeg'],
  ])('%s → %s', (accept, expected) => {
    expect(negotiate(request(accept), ['image/png', 'image/jpeg'])).toBe(expected)
  })

  it('says what there is when nothing fits', () => {
    expect(() => negotiate(request('text/html'), ['image/png'])).toThrow(/image\/png/)
  })
})
