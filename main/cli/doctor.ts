import type { DoctorReport } from '#common/contract/doctor.ts'
import { diagnose } from '../workstation-doctor.ts'
import type { Register } from './command.ts'

const MARKS = { ok: '✓', warning: '!', failed: '✗' } as const

function describe(report: DoctorReport): string {
  const lines = report.checks.flatMap((check) => [
    `${MARKS[check.state]} ${check.title}: ${check.detail}`,
    ...(check.next === null ? [] : [`    → ${check.next}`]),
  ])
  const verdict = report.healthy ? 'This workstation can work.' : 'This workstation needs attention.'
  return [...lines, '', verdict].join('\n')
}

export const registerDoctor: Register = (program, run) => {
  program
    .command('doctor')
    .description('what works here and what does not: runtime, storage, keychain, browser, inference')
    .action(
      run(async ({ output, dataDir }) => {
        const report = await diagnose({ dataDir, workstation: null })
        output.result(report, () => describe(report))
        return report.healthy ? 0 : 1
      }),
    )
}
