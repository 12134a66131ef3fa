import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assetPath, serveAsset } from './assets.ts'

let root: string

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'alcove-assets-'))
  root = join(folder, 'renderer')
  await mkdir(join(root, 'assets'), { recursive: true })
  await writeFile(join(folder, 'secret.txt'), 'outside')
  await writeFile(join(folder, 'renderer-secret.txt'), 'outside, with the same beginning')
  await writeFile(join(root, 'index.html'), '<!doctype html>')
  await writeFile(join(root, '.hidden'), 'hidden')
  await writeFile(join(root, 'assets', 'index-BhP2x_9a.js'), 'export {}')
  await writeFile(join(root, 'assets', 'codec.wasm'), new Uint8Array([0, 97, 115, 109]))
})
afterAll(() => rm(join(root, '..'), { recursive: true }))

describe('serveAsset', () => {
  it('gives the page at the root, always asked for anew', async () => {
    const response = await serveAsset(root, '/')
    expect(await response.text()).toBe('<!doctype html>')
    expect(response.headers.get('Content-Type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('Cache-Control')).toBe('no-cache')
    expect(response.headers.get('Content-Length')).toBe('15')
  })

  it('lets hashed files be kept for good', async () => {
    const response = await serveAsset(root, '/assets/index-BhP2x_9a.js')
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable')
    expect(response.headers.get('Content-Type')).toBe('text/javascript; charset=utf-8')
    await response.body?.cancel()
  })

  it('knows WebAssembly, which browsers compile while it streams only by its media type', async () => {
    const response = await serveAsset(root, '/assets/codec.wasm')
    expect(response.headers.get('Content-Type')).toBe('application/wasm')
    await response.body?.cancel()
  })

  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/..%5csecret.txt',
    '/../renderer-secret.txt',
    '/.hidden',
    '/assets',
    '/missing.js',
    '/index.html%00.js',
    '/%E0%A4%A',
    '/C:/windows',
  ])('does not serve %s', async (path) => {
    await expect(serveAsset(root, path)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('stays inside its folder', () => {
    expect(assetPath('/srv/app', '/a/b.js')).toBe('/srv/app/a/b.js')
    expect(assetPath('/srv/app', '//etc/passwd')).toBe('/srv/app/etc/passwd')
  })
})
