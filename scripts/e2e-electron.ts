import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { buildWhenStale } from '#main/shell/build-when-stale.ts'
import { installedElectron } from '#main/shell/electron-runtime.ts'

const ROOT = join(import.meta.dirname, '..')
const say = (line: string): void => void process.stdout.write(`${line}\n`)

if ((await installedElectron(ROOT)) === null) {
  say("SKIPPED: the end-to-end tests on Electron. Its runtime is not installed; 'npx install-electron' fetches it.")
} else {
  await buildWhenStale(ROOT, 'renderer', say)
  await buildWhenStale(ROOT, 'main', say)
  const playwright = join(ROOT, 'node_modules', '@playwright', 'test', 'cli.js')
  const { status } = spawnSync(process.execPath, [playwright, 'test', ...process.argv.slice(2)], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ALCOVE_E2E_SHELL: 'electron' },
  })
  process.exitCode = status ?? 1
}
