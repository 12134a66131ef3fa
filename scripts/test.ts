import { spawn } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDebianPackages } from './debian-packages.ts'
import { closingLine, EMPTY_TALLY, sumTallies, type Tally, tallyPlaywright, tallyVitest } from './test-results.ts'

const ROOT = join(import.meta.dirname, '..')
const RESULTS = join(ROOT, 'test-results')

interface Step {
  title: string
  /** Script of a package and its arguments. */
  command: string[]
  report: string
  tally: (report: unknown) => Tally
  env?: NodeJS.ProcessEnv
  limitMinutes: number
}

const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json']

const STEPS: Step[] = [
  {
    title: 'Unit and integration tests (vitest)',
    command: [...vitest, `--outputFile.json=${join(RESULTS, 'vitest.json')}`],
    report: 'vitest.json',
    tally: tallyVitest,
    limitMinutes: 15,
  },
  {
    title: 'The window in Chromium (Playwright)',
    command: ['node_modules/@playwright/test/cli.js', 'test', '--reporter=list,json'],
    report: 'playwright.json',
    tally: tallyPlaywright,
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: join(RESULTS, 'playwright.json') },
    limitMinutes: 10,
  },
  {
    title: 'The packaged app (vitest)',
    command: [
      ...vitest,
      '--config=scripts/packaging/vitest.config.ts',
      `--outputFile.json=${join(RESULTS, 'packaging.json')}`,
    ],
    report: 'packaging.json',
    tally: tallyVitest,
    limitMinutes: 5,
  },
]

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Runs a script under this Node, its output as it comes. Resolves with the exit code. */
function run(command: string[], limitMinutes: number, env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, {
      cwd: ROOT,
      // stdin closed: nothing here may ever wait for an answer.
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
      timeout: limitMinutes * 60_000,
      killSignal: 'SIGKILL',
    })
    child.once('error', () => resolve(1))
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

async function runStep(step: Step): Promise<Tally> {
  say(`\n── ${step.title}`)
  const started = Date.now()
  const code = await run(step.command, step.limitMinutes, step.env)
  say(`   ${((Date.now() - started) / 1000).toFixed(0)} s`)
  const failure = (why: string): Tally => ({ ...EMPTY_TALLY, failed: 1, failures: [`${step.title}: ${why}`] })
  let tally: Tally
  try {
    tally = step.tally(JSON.parse(await readFile(join(RESULTS, step.report), 'utf8')))
  } catch {
    return failure(`no result (exit code ${code})`)
  }
  // Something beside the tests went wrong: an unhandled rejection, a time-out of the whole.
  return code !== 0 && tally.failed === 0 ? sumTallies([tally, failure(`exit code ${code}`)]) : tally
}

async function main(): Promise<number> {
  if (!ensureDebianPackages({ say })) return 1
  await rm(RESULTS, { recursive: true, force: true })
  await mkdir(RESULTS, { recursive: true })
  say('── Building the window (vite)')
  const build = ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn']
  const built = await run(build, 5)
  const tallies: Tally[] = []
  if (built !== 0) tallies.push({ ...EMPTY_TALLY, failed: 1, failures: ['Building the window failed'] })
  for (const step of STEPS) tallies.push(await runStep(step))
  const total = sumTallies(tallies)
  if (total.skipped.length > 0) say(`\nSkipped:\n${total.skipped.map((name) => `  ${name}`).join('\n')}`)
  if (total.failures.length > 0) say(`\nFailed:\n${total.failures.map((name) => `  ${name}`).join('\n')}`)
  say(`\n${closingLine(total)}`)
  return total.failed === 0 ? 0 : 1
}

process.exitCode = await main()
