/**
 * Where worker threads and child processes start. From source an entry is its TypeScript file; in the packaged app the
 * build puts each entry beside the main bundle under its own name, so the packager builds exactly this table.
 */
export const PROCESS_ENTRIES = {
  'study-worker': './studies/study-worker.ts',
  'inference-engine': './inference/engine-process.ts',
  'pixel-worker': './dicom/pixels/pixel-worker.ts',
} as const

export type ProcessEntry = keyof typeof PROCESS_ENTRIES

/** Address for `new Worker(url)`, or for `fork(fileURLToPath(url))`. */
export function processEntry(name: ProcessEntry): URL {
  const fromSource = import.meta.url.endsWith('.ts')
  return new URL(fromSource ? PROCESS_ENTRIES[name] : `./${name}.js`, import.meta.url)
}
