import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * Where the real sample studies lie, or null. Tests that need them are skipped by name when they are not there:
 * `describe.skipIf(!sharedData)(…)`.
 */
export const sharedData: string | null = (() => {
  const folder = process.env['ALCOVE_SHARED'] ?? resolve(import.meta.dirname, '../../../shared')
  return existsSync(join(folder, 'dicom', 'README.md')) ? folder : null
})()

export function sharedPath(...parts: string[]): string {
  if (sharedData === null) throw new Error('The shared sample data is not here; guard the test with sharedData.')
  return join(sharedData, ...parts)
}
