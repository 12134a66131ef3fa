import { open } from 'node:fs/promises'
import { extname, join, resolve, sep } from 'node:path'
import { AlcoveError } from '#common/errors.ts'
import { streamOf } from '#node/http/body.ts'

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.map': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

/** Vite's hashed names: "index-BhP2x_9a.js". Their content never changes. */
const HASHED = /-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/

function missing(): AlcoveError {
  return new AlcoveError('not-found', 'There is nothing at this address.')
}

/** The file a path means, or null when it would lie outside `root` or names something hidden. */
export function assetPath(root: string, pathname: string): string | null {
  let decoded: string
  try {
    decoded = decodeURIComponent(pathname)
  } catch {
    return null
  }
  const segments = decoded.split('/').filter((segment) => segment !== '')
  const unsafe = (segment: string): boolean => segment.startsWith('.') || /[\\:\0]/.test(segment)
  if (segments.some(unsafe)) return null
  const file = resolve(root, join(...(segments.length === 0 ? ['index.html'] : segments)))
  return file.startsWith(resolve(root) + sep) ? file : null
}

/**
 * A file of the window's build folder.
 * @throws not-found
 */
export async function serveAsset(root: string, pathname: string): Promise<Response> {
  const file = assetPath(root, pathname)
  if (file === null) throw missing()
  const handle = await open(file, 'r').catch(() => {
    throw missing()
  })
  const stats = await handle.stat()
  if (!stats.isFile()) {
    await handle.close()
    throw missing()
  }
  return new Response(streamOf(handle.createReadStream()), {
    headers: {
      'Content-Type': MEDIA_TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream',
      'Content-Length': String(stats.size),
      'Cache-Control': HASHED.test(file) ? 'public, max-age=31536000, immutable' : 'no-cache',
    },
  })
}
