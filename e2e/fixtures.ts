import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type Cookie, _electron, type Page, test as base } from '@playwright/test'
import { SCREENS } from './global-setup.ts'
import { writeRamp } from './phantom.ts'
import { printedJson, ROOT, runNode, startNode } from './processes.ts'

export { expect } from '@playwright/test'

/** `npm run e2e:electron` asks for the other shell; the specs are the same. */
const SHELL = process.env['ALCOVE_E2E_SHELL'] === 'electron' ? 'electron' : 'chromium'

export interface RunningApp {
  shell: 'chromium' | 'electron'
  /** Address and script token of the loopback door; null in Electron, which has none. */
  door: { origin: string; token: string; usedLink: string } | null
  newPage(size?: { width: number; height: number }): Promise<Page>
}

interface Workspace {
  dataDir: string
  passphraseFile: string
  /** Folder of the ramp CT (see phantom.ts). */
  ramp: string
}

async function startServed(workspace: Workspace, browser: Browser): Promise<RunningApp & { stop(): Promise<void> }> {
  const { dataDir, passphraseFile } = workspace
  const command = ['main/cli/alcove.ts', '--json', '--data-dir', dataDir, '--passphrase-file', passphraseFile, 'serve']
  const server = startNode([...command, '--port', '0'])
  const { url, link, token } = await printedJson<{ url: string; link: string; token: string }>(server)
  let cookies: Cookie[] = []
  return {
    shell: 'chromium',
    door: { origin: url, token, usedLink: link },
    async newPage(viewport = { width: 1920, height: 1080 }) {
      const context = await browser.newContext({ viewport })
      await context.addCookies(cookies)
      const page = await context.newPage()
      // The link works once; later windows come with the cookie it gave.
      await page.goto(cookies.length === 0 ? link : url)
      cookies = await context.cookies()
      return page
    },
    async stop() {
      server.kill('SIGTERM')
      if (server.exitCode === null) await once(server, 'exit')
    },
  }
}

async function startElectron(workspace: Workspace): Promise<RunningApp & { stop(): Promise<void> }> {
  const folder = join(ROOT, 'node_modules', 'electron')
  const executablePath = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim())
  if (!existsSync(executablePath)) throw new Error("Electron's runtime is not installed.")
  const { dataDir, passphraseFile } = workspace
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const args = [...root, ROOT, '--data-dir', dataDir, '--passphrase-file', passphraseFile]
  const app = await _electron.launch({ executablePath, args })
  return {
    shell: 'electron',
    door: null,
    async newPage(size) {
      const page = await app.firstWindow()
      if (size !== undefined) await page.setViewportSize(size)
      await page.evaluate(() => (location.hash = '#/'))
      await page.reload()
      return page
    },
    stop: () => app.close(),
  }
}

export const test = base.extend<
  { window: Page; shoot: (name: string) => Promise<void> },
  { workspace: Workspace; app: RunningApp }
>({
  workspace: [
    // Playwright wants the braces.
    // oxlint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'alcove-e2e-'))
      const workspace = {
        dataDir: join(folder, 'data'),
        passphraseFile: join(folder, 'passphrase.txt'),
        ramp: join(folder, 'ramp'),
      }
      await writeFile(workspace.passphraseFile, 'a passphrase of the tests alone\n', { mode: 0o600 })
      await writeRamp(workspace.ramp)
      await use(workspace)
      await rm(folder, { recursive: true, force: true })
    },
    { scope: 'worker' },
  ],
  app: [
    async ({ workspace, browser }, use) => {
      const app = SHELL === 'electron' ? await startElectron(workspace) : await startServed(workspace, browser)
      await use(app)
      await app.stop()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  window: async ({ app }, use) => {
    const page = await app.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    await use(page)
    if (app.shell === 'chromium') await page.context().close()
    if (complaints.length > 0) throw new Error(`The page failed: ${complaints.join('; ')}`)
  },
  shoot: async ({ window }, use) => {
    await use(async (name) => {
      for (const [width, height] of [
        [1920, 1080],
        [1366, 768],
      ] as const) {
        await window.setViewportSize({ width, height })
        await window.waitForTimeout(400)
        await window.screenshot({ path: join(SCREENS, `${name}-${width}x${height}.png`) })
      }
      await window.setViewportSize({ width: 1920, height: 1080 })
    })
  },
})

/** Imports by the page's own API, as a native menu would. */
export async function importPath(page: Page, path: string): Promise<void> {
  await page.evaluate(async (given) => {
    const start = await fetch('/api/v1/imports', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ paths: [given] }),
    })
    let task = (await start.json()) as { id: string; state: string }
    while (task.state === 'running') {
      await new Promise((resolve) => setTimeout(resolve, 100))
      task = (await (await fetch(`/api/v1/tasks/${task.id}`)).json()) as typeof task
    }
    if (task.state !== 'done') throw new Error(`The import ended as ${task.state}.`)
  }, path)
}

/** Makes the demonstration's PET/CT study in `folder`; resolves with its Study Instance UID. */
export async function makeDemoStudy(folder: string): Promise<string> {
  const script = `const { generateDemoStudy } = await import('./main/demo/generate.ts')
    const study = await generateDemoStudy(${JSON.stringify(folder)})
    process.stdout.write(study.studyInstanceUID)`
  return runNode(['--input-type=module', '-e', script])
}
