import type { Page } from '@playwright/test'
import { chromium } from '@playwright/test'
import { findBrowser } from '#main/shell/chromium/find-browser.ts'
import { createHeadlessShell } from '#main/shell/headless/headless-shell.ts'
import { createApi } from '#main/api/create-api.ts'
import { APP_PATHS } from '#main/app-paths.ts'
import type { Workstation } from '#main/workstation.ts'
import { watchRendererPeak } from './process-memory.ts'
import type { Figure } from './report.ts'

const OPEN_TIMEOUT_MS = 60_000
const SCROLL_STEPS = 40
const READING_THE_LIST_MS = 4_000

interface Opening {
  firstImageMs: number
  completeMs: number
}

/** Clicks a study open and waits, in the page's own clock, for the first picture and for the last slice. */
async function openStudy(page: Page, studyInstanceUID: string): Promise<Opening> {
  await page.locator(`[data-testid=study-row][data-study="${studyInstanceUID}"]`).click()
  await page.getByTestId('open-study').waitFor()
  return await page.evaluate(async (timeoutMs) => {
    const started = performance.now()
    const button = document.querySelector<HTMLElement>('[data-testid=open-study]')
    button?.click()
    const until = async (done: () => boolean): Promise<number> => {
      while (!done()) {
        if (performance.now() - started > timeoutMs) throw new Error('The study did not open in time.')
        await new Promise((resolve) => requestAnimationFrame(resolve))
      }
      return performance.now() - started
    }
    const drawn = (): boolean => document.querySelector('[data-testid=pane][data-ready=true]') !== null
    const complete = (): boolean => {
      const card = document.querySelector<HTMLElement>('[data-testid=series-card]')
      return card !== null && Number(card.dataset['loaded']) === Number(card.dataset['total'])
    }
    return { firstImageMs: await until(drawn), completeMs: await until(complete) }
  }, OPEN_TIMEOUT_MS)
}

/** Milliseconds from a wheel event over the first pane to the drawn slice, `SCROLL_STEPS` times. */
async function scrollTimes(page: Page): Promise<number[]> {
  return await page.evaluate(async (steps) => {
    const pane = document.querySelector<HTMLElement>('[data-testid=pane]')
    const target = pane?.querySelector<HTMLElement>('canvas') ?? pane
    if (pane == null || target == null) throw new Error('There is no pane to scroll.')
    const box = target.getBoundingClientRect()
    const times: number[] = []
    for (let step = 0; step < steps; step++) {
      const before = pane.dataset['index']
      const started = performance.now()
      target.dispatchEvent(
        new WheelEvent('wheel', {
          // Forth and back, so that no series is too short.
          deltaY: step < steps / 2 ? 100 : -100,
          bubbles: true,
          cancelable: true,
          clientX: box.x + box.width / 2,
          clientY: box.y + box.height / 2,
        }),
      )
      while (pane.dataset['index'] === before && performance.now() - started < 5_000)
        await new Promise((resolve) => setTimeout(resolve, 0))
      times.push(performance.now() - started)
      await new Promise((resolve) => requestAnimationFrame(resolve))
    }
    return times
  }, SCROLL_STEPS)
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

async function measureStudy(
  page: Page,
  name: string,
  studyInstanceUID: string,
  voxelBytes: number,
  browserPid: number,
): Promise<Figure[]> {
  const peakAboveIdle = await watchRendererPeak(browserPid)
  const opening = await openStudy(page, studyInstanceUID)
  const stack = await scrollTimes(page)
  await page.getByTestId('layout-mpr').click()
  await page.locator('[data-testid=pane][data-kind=axial][data-ready=true]').waitFor({ timeout: OPEN_TIMEOUT_MS })
  await page.locator('[data-testid=pane][data-kind=coronal][data-ready=true]').waitFor({ timeout: OPEN_TIMEOUT_MS })
  const mpr = await scrollTimes(page)
  const peak = await peakAboveIdle()
  await page.getByTestId('back').click()
  await page.getByTestId('worklist').waitFor()
  return [
    { name: `${name}: click to first image`, value: opening.firstImageMs / 1000, unit: 's', aim: { atMost: 0.5 } },
    { name: `${name}: click to the full volume`, value: opening.completeMs / 1000, unit: 's', aim: { atMost: 3 } },
    { name: `${name}: stack scroll p50`, value: percentile(stack, 0.5), unit: 'ms' },
    { name: `${name}: stack scroll p95`, value: percentile(stack, 0.95), unit: 'ms' },
    { name: `${name}: MPR scroll p50`, value: percentile(mpr, 0.5), unit: 'ms' },
    { name: `${name}: MPR scroll p95`, value: percentile(mpr, 0.95), unit: 'ms' },
    {
      name: `${name}: peak renderer memory above idle, as a multiple of the voxels`,
      value: peak / voxelBytes,
      unit: '×',
      aim: { atMost: 1.5 },
    },
  ]
}

/** The window in the installed Chromium on a real workstation's handler: opening, scrolling, planes, memory. */
export async function benchViewer(
  workstation: Workstation,
  studies: readonly { name: string; studyInstanceUID: string; voxelBytes: number }[],
): Promise<Figure[]> {
  const found = await findBrowser()
  if (found === null) return [{ name: 'viewer', skipped: 'no Chromium, Chrome or Edge is installed' }]
  const controller = new AbortController()
  let link = ''
  const shell = createHeadlessShell({
    reason: 'benchmark',
    port: 0,
    bearerToken: crypto.randomUUID(),
    signal: controller.signal,
    onLink: (text) => (link = text),
  })
  const session = await shell.open(createApi(workstation, { shell: 'headless', rendererDir: APP_PATHS.renderer }), '/')
  const server = await chromium.launchServer({
    executablePath: found.path,
    args: ['--no-sandbox', '--use-gl=angle', '--use-angle=gl-egl', '--ignore-gpu-blocklist'],
  })
  try {
    const browser = await chromium.connect(server.wsEndpoint())
    const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } })
    await page.goto(link)
    // A person reads the list first; meanwhile the viewer is read and its graphics start.
    await page.waitForTimeout(READING_THE_LIST_MS)
    const figures: Figure[] = []
    for (const { name, studyInstanceUID, voxelBytes } of studies)
      figures.push(...(await measureStudy(page, name, studyInstanceUID, voxelBytes, server.process().pid ?? 0)))
    return figures
  } finally {
    await server.close()
    await session.close()
  }
}
