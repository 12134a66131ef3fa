import { defineConfig } from 'rolldown'
import { PROCESS_ENTRIES } from './main/process-entry.ts'

/** `#common/…` and its like are sources of ours; every other bare name is a package and stays outside the bundle. */
const packages = /^(?![./#]|[A-Za-z]:[\\/]|\0)/

const processes = Object.fromEntries(
  Object.entries(PROCESS_ENTRIES).map(([name, path]) => [name, path.replace(/^\.\//, 'main/')]),
)

/** The main process, its workers and the command line → dist/main; the preload (one CommonJS file) → dist/preload. */
export default defineConfig([
  {
    input: { alcove: 'main/cli/alcove.ts', electron: 'main/shell/electron/main.ts', ...processes },
    platform: 'node',
    external: packages,
    output: {
      dir: 'dist/main',
      format: 'esm',
      cleanDir: true,
      // Everything lies in one folder: process-entry.ts finds workers beside the file it became part of.
      entryFileNames: '[name].js',
      chunkFileNames: 'shared-[hash].js',
      sourcemap: true,
    },
  },
  {
    input: { index: 'preload/index.ts' },
    platform: 'node',
    external: ['electron'],
    // A sandboxed preload can only be CommonJS.
    output: { dir: 'dist/preload', format: 'cjs', cleanDir: true, entryFileNames: '[name].cjs' },
  },
])
