import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds dist/renderer and resources/: the checkout, or the packaged app's own folder (or archive). */
export function projectRoot(): string {
  // main/shell/x.ts in a checkout, dist/main/x.js in a bundle: the first folder above with a package.json.
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) return folder
    folder = parent
  }
  return folder
}

/** Sources are here: what is built from them can be built anew. */
export function isCheckout(root: string): boolean {
  return existsSync(join(root, 'renderer', 'index.html')) && existsSync(join(root, 'vite.config.ts'))
}
