import type { Locator, Page } from '@playwright/test'
import { expect, importPath, test } from './fixtures.ts'
import { RAMP } from './phantom.ts'

async function open(page: Page, ramp: string): Promise<Locator> {
  await importPath(page, ramp)
  await page.evaluate((study) => (location.hash = `#/study/${study}`), RAMP.studyInstanceUID)
  const pane = page.getByTestId('pane').first()
  await expect(pane).toHaveAttribute('data-ready', 'true')
  await expect(page.getByTestId('series-card').first()).toHaveAttribute('data-loaded', String(RAMP.slices))
  return pane
}

async function numberOf(pane: Locator, name: string): Promise<number> {
  return Number(await pane.getAttribute(`data-${name}`))
}

/** Drags by fractions of the pane. */
async function drag(page: Page, pane: Locator, from: [number, number], to: [number, number]): Promise<void> {
  const box = (await pane.boundingBox())!
  const at = ([x, y]: [number, number]): [number, number] => [box.x + x * box.width, box.y + y * box.height]
  await page.mouse.move(...at(from))
  await page.mouse.down()
  await page.mouse.move(...at(to), { steps: 8 })
  await page.mouse.up()
}

test.describe('reading a study', () => {
  test('scrolls by wheel and keys, within its ends', async ({ window, workspace, shoot }) => {
    const pane = await open(window, workspace.ramp)
    expect(await numberOf(pane, 'count')).toBe(RAMP.slices)
    await pane.hover()
    await window.keyboard.press('Home')
    await expect(pane).toHaveAttribute('data-index', '0')
    await window.keyboard.press('ArrowUp')
    await expect(pane).toHaveAttribute('data-index', '0')
    await window.mouse.wheel(0, 100)
    await expect(pane).toHaveAttribute('data-index', '1')
    await window.keyboard.press('End')
    await expect(pane).toHaveAttribute('data-index', String(RAMP.slices - 1))
    await expect(pane.getByTestId('slice')).toHaveText(`${RAMP.slices} / ${RAMP.slices}`)
    await shoot('stack')
  })

  test('sets the window by preset key, by mouse and back', async ({ window, workspace }) => {
    const pane = await open(window, workspace.ramp)
    await pane.hover()
    // Width 1400 at level 0, as the data set says.
    expect([await numberOf(pane, 'lower'), await numberOf(pane, 'upper')]).toEqual([-700, 700])
    const presets = await window.getByTestId('window-preset').locator('option').allTextContents()
    const bone = presets.find((text) => /bone/i.test(text))!
    await window.keyboard.press(bone.trim().charAt(0))
    // Bone 2500/480: 480 ± 1250.
    await expect(pane).toHaveAttribute('data-lower', '-770')
    await expect(pane).toHaveAttribute('data-upper', '1730')
    await window.keyboard.press('i')
    await expect(pane).toHaveAttribute('data-inverted', 'true')
    await drag(window, pane, [0.4, 0.5], [0.6, 0.5])
    // To the right is wider, the level stays; the image stays inverted.
    await expect
      .poll(async () => (await numberOf(pane, 'upper')) - (await numberOf(pane, 'lower')))
      .toBeGreaterThan(2500)
    expect(((await numberOf(pane, 'upper')) + (await numberOf(pane, 'lower'))) / 2).toBe(480)
    await expect(pane).toHaveAttribute('data-inverted', 'true')
  })

  test('measures what is there: a rectangle on the ramp, checked by arithmetic', async ({ window, workspace }) => {
    const pane = await open(window, workspace.ramp)
    await pane.hover()
    await window.keyboard.press('t')
    await drag(window, pane, [0.42, 0.4], [0.58, 0.6])
    const text = pane.locator('svg text, svg tspan').filter({ hasText: 'Mean' }).first()
    await expect(text).toBeVisible()
    const words = (await pane.locator('svg').allTextContents()).join(' ').replaceAll('−', '-')
    const number = (name: string): number => Number(new RegExp(`${name}\\s*(-?[\\d.]+)`).exec(words)?.[1])
    const [mean, sd, min, max, n] = ['Mean', 'SD', 'Min', 'Max', ' n '].map(number) as [
      number,
      number,
      number,
      number,
      number,
    ]

    // Whole columns of the ramp: both ends are values it holds, and the mean of equal steps is their middle.
    for (const end of [min, max]) expect((end - RAMP.huAtColumn0) % RAMP.huPerColumn).toBe(0)
    const columns = (max - min) / RAMP.huPerColumn + 1
    expect(columns).toBeGreaterThan(5)
    expect(mean).toBeCloseTo((min + max) / 2, 0)
    // k equal steps of 10: variance 100 (k² − 1) / 12, times n / (n − 1) when the sample's is given.
    const population = RAMP.huPerColumn * Math.sqrt((columns ** 2 - 1) / 12)
    expect(Math.abs(sd - population)).toBeLessThan(population * 0.02 + 0.1)
    expect(n % columns).toBe(0)
    // The rectangle lies around the middle of the image: half a column left of column 64 is −5 HU.
    expect(Math.abs(mean - -5)).toBeLessThan(2 * RAMP.huPerColumn)
  })

  test('links three planes by the crosshair', async ({ window, workspace, shoot }) => {
    await open(window, workspace.ramp)
    await window.getByTestId('layout-mpr').click()
    const plane = (kind: string): Locator => window.locator(`[data-testid=pane][data-kind=${kind}]`)
    for (const kind of ['axial', 'sagittal', 'coronal']) await expect(plane(kind)).toHaveAttribute('data-ready', 'true')
    expect(await numberOf(plane('sagittal'), 'count')).toBe(RAMP.columns)
    expect(await numberOf(plane('coronal'), 'count')).toBe(RAMP.rows)
    await window.getByTestId('tool-crosshair').click()
    const box = (await plane('axial').boundingBox())!
    const click = (x: number, y: number): Promise<void> =>
      window.mouse.click(box.x + box.width * x, box.y + box.height * y)
    await click(0.45, 0.5)
    const before = {
      sagittal: await numberOf(plane('sagittal'), 'index'),
      coronal: await numberOf(plane('coronal'), 'index'),
    }
    await click(0.55, 0.5)
    // To the side: the sagittal plane moves, the coronal one stays.
    await expect.poll(() => numberOf(plane('sagittal'), 'index')).not.toBe(before.sagittal)
    expect(await numberOf(plane('coronal'), 'index')).toBe(before.coronal)
    // A tenth of the pane's width at the scale that fits 128 rows into its height.
    const scale = Math.min(box.width, box.height) / RAMP.columns
    const moved = Math.abs((await numberOf(plane('sagittal'), 'index')) - before.sagittal)
    expect(Math.abs(moved - (0.1 * box.width) / scale)).toBeLessThanOrEqual(2 + 0.05 * moved)
    await shoot('mpr')
  })
})
