import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{common,node,main,preload,renderer,scripts}/**/*.test.{ts,tsx}'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
  },
})
