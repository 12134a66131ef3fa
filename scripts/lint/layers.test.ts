import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { brokenLayer } from './layers.ts'

const violations = join(import.meta.dirname, 'violations')
const oxlint = resolve(import.meta.dirname, '../../node_modules/oxlint/bin/oxlint')

const reportSchema = z.object({ diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })) })

describe('the layers', () => {
  it('bite: every deliberate violation is an error and the lawful file is not', () => {
    const run = spawnSync(process.execPath, [oxlint, '-c', 'oxlintrc.json', '-f', 'json'], {
      cwd: violations,
      encoding: 'utf8',
    })
    const { diagnostics } = reportSchema.parse(JSON.parse(run.stdout))
    expect(run.status).toBe(1)
    expect(
      diagnostics
        .filter(({ code }) => code.includes('layers'))
        .map(({ filename }) => filename)
        .toSorted(),
    ).toEqual([
      'common/reaches-up.ts',
      'main/studies/knows-electron.ts',
      'main/vault/reaches-the-door.ts',
      'renderer/features/bypasses-the-adapter.ts',
      'renderer/features/knows-main.ts',
    ])
  })

  it('let the command line compose everything, and the API stand on services only', () => {
    expect(brokenLayer('main/cli/serve.ts', '#main/api/index.ts')).toBeNull()
    expect(brokenLayer('main/api/app.ts', '../studies/types.ts')).toBeNull()
    expect(brokenLayer('main/api/app.ts', '../shell/types.ts')).toContain('must not import')
    expect(brokenLayer('node/http/guard.ts', '#main/vault/types.ts')).toContain('must not import')
    expect(brokenLayer('common/ids.ts', 'node:fs')).toContain('know no Node')
  })
})
