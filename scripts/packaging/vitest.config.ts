import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** The packaged app: minutes, not seconds, so `npm test` runs it apart from the others. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..', '..'),
    include: ['scripts/packaging/*.check.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
  },
})
