import { join } from 'node:path'
import { expect, importPath, makeDemoStudy, test } from './fixtures.ts'

test('a model runs on the open study, and its finding brings every plane to it', async ({
  window,
  workspace,
  shoot,
}) => {
  test.setTimeout(240_000)
  const folder = join(workspace.dataDir, '..', 'demo')
  const study = await makeDemoStudy(folder)
  await importPath(window, folder)
  await window.evaluate((uid) => (location.hash = `#/study/${uid}`), study)
  const model = window.locator('[data-testid=model][data-model=pet-lesion]')
  await model.getByTestId('run-model').click()
  await expect(window.getByTestId('run')).toHaveAttribute('data-status', 'done', { timeout: 180_000 })
  const finding = window.getByTestId('finding').first()
  await expect(finding).toContainText('SUVmax')
  await finding.getByTestId('finding-jump').click()
  await expect(finding).toHaveAttribute('data-selected', 'true')
  await expect(window.locator('[data-testid=pane][data-ready=true]').first()).toBeVisible()
  await finding.getByTestId('accept').click()
  await expect(finding).toHaveAttribute('data-review', 'accepted')
  await shoot('finding')
})
