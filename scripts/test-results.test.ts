import { describe, expect, it } from 'vitest'
import { closingLine, sumTallies, tallyPlaywright, tallyVitest } from './test-results.ts'

const VITEST = {
  testResults: [
    {
      name: '/a.test.ts',
      status: 'failed',
      assertionResults: [
        { fullName: 'a works', status: 'passed' },
        { fullName: 'a breaks', status: 'failed' },
        { fullName: 'a later', status: 'todo' },
        { fullName: 'a needs data', status: 'skipped' },
      ],
    },
    { name: '/b.test.ts', status: 'failed', assertionResults: [] },
    { name: '/c.test.ts', status: 'passed', assertionResults: [{ fullName: 'c works', status: 'passed' }] },
  ],
}
const PLAYWRIGHT = {
  errors: [],
  suites: [
    {
      title: 'reading.spec.ts',
      specs: [{ title: 'opens', tests: [{ status: 'expected' }] }],
      suites: [
        {
          title: 'tools',
          specs: [
            { title: 'measures', tests: [{ status: 'unexpected' }] },
            { title: 'on Electron', tests: [{ status: 'skipped' }] },
            { title: 'wavers', tests: [{ status: 'flaky' }] },
          ],
        },
      ],
    },
  ],
}

describe('test results', () => {
  it('counts vitest, with a file that could not be loaded as a failure', () => {
    expect(tallyVitest(VITEST)).toEqual({
      passed: 2,
      failed: 2,
      skipped: ['a later', 'a needs data'],
      failures: ['a breaks', '/b.test.ts (could not be run)'],
    })
  })

  it('counts Playwright, with a flaky test as a failure', () => {
    expect(tallyPlaywright(PLAYWRIGHT)).toEqual({
      passed: 1,
      failed: 2,
      skipped: ['reading.spec.ts › tools › on Electron'],
      failures: ['reading.spec.ts › tools › measures', 'reading.spec.ts › tools › wavers'],
    })
    expect(tallyPlaywright({ suites: [], errors: [{ message: 'no browser\n  at x' }] }).failures).toEqual([
      'no browser',
    ])
  })

  it('sums them in one closing line', () => {
    expect(closingLine(sumTallies([tallyVitest(VITEST), tallyPlaywright(PLAYWRIGHT)]))).toBe(
      '3 passed, 4 failed, 3 skipped',
    )
  })
})
