import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test } from './fixtures.ts'
import { RAMP, writeRamp } from './phantom.ts'

/** Drops real files and folders, as the desktop does: only the browser itself can make such an event. */
async function dropPaths(page: Page, paths: string[]): Promise<void> {
  // The list has been read: the page listens.
  await expect(page.getByTestId('study-count')).not.toBeEmpty()
  const session = await page.context().newCDPSession(page)
  const data = { items: [], files: paths, dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 700, y: 400, data })
  }
  await session.detach()
}

test.describe.serial('study list', () => {
  test('is empty at first and says what to do', async ({ window, shoot }) => {
    await expect(window.getByTestId('empty-state')).toContainText('Drop a folder')
    await expect(window.getByTestId('notice')).toBeVisible()
    await shoot('empty')
  })

  test('imports a dropped folder and shows its study', async ({ window, workspace, shoot }) => {
    await dropPaths(window, [workspace.ramp])
    await expect(window.getByTestId('import-panel')).toHaveAttribute('data-state', 'done')
    await expect(window.getByTestId('import-summary')).toContainText(`${RAMP.slices} images in 1 study`)
    const row = window.getByTestId('study-row')
    await expect(row).toHaveCount(1)
    await expect(row).toHaveAttribute('data-study', RAMP.studyInstanceUID)
    await expect(row).toContainText('RAMP-1')
    await expect(row).toContainText('2026')
    await row.click()
    await expect(window.getByTestId('preview')).toContainText('Ramp of known values')
    await shoot('worklist')
  })

  test('tells of each file it does not take', async ({ window, workspace }) => {
    const folder = join(workspace.dataDir, '..', 'odd')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'letter.txt'), 'Dear colleague,\n'.repeat(30))
    await dropPaths(window, [folder])
    await window.getByTestId('import-rejected').click()
    await expect(window.getByTestId('rejected')).toContainText('letter.txt')
    await expect(window.getByTestId('rejected')).toContainText('dicom/not-dicom')
    await expect(window.getByTestId('study-count')).toHaveText('1 study')
  })

  test('can be stopped while it imports; what has come in stays whole', async ({ window, workspace }) => {
    const folder = join(workspace.dataDir, '..', 'many')
    await writeRamp(folder)
    // Enough of what is no DICOM that there is time to press the button.
    for (let at = 0; at < 3_000; at++) await writeFile(join(folder, `note-${at}.txt`), 'not DICOM '.repeat(40))
    await dropPaths(window, [folder])
    await window.getByTestId('import-cancel').click()
    await expect(window.getByTestId('import-panel')).toHaveAttribute('data-state', 'cancelled')
    await expect(window.getByTestId('study-row')).toHaveCount(1)
  })

  test('finds by name and by nothing', async ({ window }) => {
    await window.getByTestId('search').fill('known')
    await expect(window.getByTestId('study-row')).toHaveCount(1)
    await window.getByTestId('search').fill('nobody of that name')
    await expect(window.getByTestId('no-match')).toBeVisible()
  })
})
