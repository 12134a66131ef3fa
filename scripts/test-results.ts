import { z } from 'zod'

export interface Tally {
  passed: number
  failed: number
  /** Full names, so that a reader sees what was not tested. */
  skipped: string[]
  /** Full names of what failed. */
  failures: string[]
}

export const EMPTY_TALLY: Tally = { passed: 0, failed: 0, skipped: [], failures: [] }

const vitestSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
})

/** vitest's JSON reporter. A file that could not even be loaded counts as one failure. */
export function tallyVitest(report: unknown): Tally {
  const tally: Tally = { passed: 0, failed: 0, skipped: [], failures: [] }
  for (const file of vitestSchema.parse(report).testResults) {
    let failedHere = 0
    for (const { fullName, status } of file.assertionResults) {
      if (status === 'passed') tally.passed++
      else if (status === 'failed') {
        failedHere++
        tally.failures.push(fullName)
      } else tally.skipped.push(fullName)
    }
    if (file.status === 'failed' && failedHere === 0) {
      failedHere = 1
      tally.failures.push(`${file.name} (could not be run)`)
    }
    tally.failed += failedHere
  }
  return tally
}

interface PlaywrightSuite {
  title: string
  specs?: { title: string; tests: { status: string }[] }[] | undefined
  suites?: PlaywrightSuite[] | undefined
}

const playwrightSuiteSchema: z.ZodType<PlaywrightSuite> = z.lazy(() =>
  z.object({
    title: z.string(),
    specs: z.array(z.object({ title: z.string(), tests: z.array(z.object({ status: z.string() })) })).optional(),
    suites: z.array(playwrightSuiteSchema).optional(),
  }),
)
const playwrightSchema = z.object({
  suites: z.array(playwrightSuiteSchema),
  errors: z.array(z.object({ message: z.string().optional() })).default([]),
})

/** Playwright's JSON reporter. A test that passed only on a second try counts as failed: this suite has no retries. */
export function tallyPlaywright(report: unknown): Tally {
  const tally: Tally = { passed: 0, failed: 0, skipped: [], failures: [] }
  const { suites, errors } = playwrightSchema.parse(report)
  const visit = (suite: PlaywrightSuite, path: string[]): void => {
    const here = [...path, suite.title]
    for (const spec of suite.specs ?? []) {
      for (const { status } of spec.tests) {
        const name = [...here, spec.title].join(' › ')
        if (status === 'expected') tally.passed++
        else if (status === 'skipped') tally.skipped.push(name)
        else {
          tally.failed++
          tally.failures.push(name)
        }
      }
    }
    for (const inner of suite.suites ?? []) visit(inner, here)
  }
  for (const suite of suites) visit(suite, [])
  for (const error of errors) {
    tally.failed++
    tally.failures.push(error.message?.split('\n')[0] ?? 'Playwright could not run')
  }
  return tally
}

export function sumTallies(tallies: Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
    failed: tallies.reduce((sum, { failed }) => sum + failed, 0),
    skipped: tallies.flatMap(({ skipped }) => skipped),
    failures: tallies.flatMap(({ failures }) => failures),
  }
}

/** The last line of `npm test`, alone on its line. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped.length} skipped`
}
