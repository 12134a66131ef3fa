import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/**
 * The window: renderer/ → dist/renderer. Everything it needs at run time (codec wasm, workers) is copied beside it;
 * no script or style is inline, so the strict content security policy of main/api holds.
 */
export default defineConfig({
  root: here('renderer'),
  base: '/',
  plugins: [react()],
  resolve: {
    alias: [
      { find: /^#common\/(.*)$/, replacement: `${here('common')}/$1` },
      // cornerstone's codecs are written for both Node and the web; the web half never reaches these.
      { find: /^(fs|path)$/, replacement: here('renderer/viewer/node-stub.ts') },
    ],
  },
  worker: { format: 'es' },
  build: {
    outDir: here('dist/renderer'),
    emptyOutDir: true,
    target: 'es2023',
    sourcemap: false,
    // Inlined wasm would need data: in connect-src.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 5_000,
  },
})
