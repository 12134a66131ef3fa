import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, runNode } from './processes.ts'

export const SCREENS = join(ROOT, 'test-results', 'screens')

/** The window as its sources are now; `npm test` has built it already, a developer may not have. */
export default async function setUp(): Promise<void> {
  await rm(SCREENS, { recursive: true, force: true })
  await mkdir(SCREENS, { recursive: true })
  const build = `const { buildWhenStale } = await import('./main/shell/build-when-stale.ts')
    await buildWhenStale(process.cwd(), 'renderer', console.log)`
  await runNode(['--input-type=module', '-e', build])
  if (!existsSync(join(ROOT, 'dist', 'renderer', 'index.html'))) throw new Error('The window could not be built.')
}
