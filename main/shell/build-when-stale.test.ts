import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildWhenStale } from './build-when-stale.ts'

let root: string
let said: string[]
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'alcove-build-'))
  said = []
})
afterEach(() => rm(root, { recursive: true }))

async function write(path: string, text = ''): Promise<void> {
  const file = join(root, path)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, text)
}

/** A checkout whose "vite" writes down that it ran. */
async function checkout(vite: string): Promise<void> {
  await write('renderer/index.html')
  await write('vite.config.ts')
  await write('node_modules/vite/bin/vite.js', vite)
}

const BUILDS = `const fs = require('node:fs'); fs.mkdirSync('dist/renderer', { recursive: true })
fs.writeFileSync('dist/renderer/index.html', process.argv.slice(2).join(' '))`
const build = () => buildWhenStale(root, 'renderer', (line) => said.push(line))

describe('buildWhenStale', () => {
  it('builds what is not there, then leaves it alone, then builds it when a source is newer', async () => {
    await checkout(BUILDS)
    await build()
    expect(await readFile(join(root, 'dist/renderer/index.html'), 'utf8')).toBe('build --logLevel warn')
    await build()
    expect(said).toEqual(['Building the window (not built yet)…'])
    await write('renderer/features/new.ts')
    const later = new Date(Date.now() + 60_000)
    await utimes(join(root, 'renderer/features/new.ts'), later, later)
    await build()
    expect(said.at(-1)).toBe('Building the window (its sources have changed)…')
  })

  it('tells how a build failed', async () => {
    await checkout(`console.error('no such module'); process.exit(1)`)
    await expect(build()).rejects.toMatchObject({
      code: 'shell/unavailable',
      message: 'Building the window failed:\nno such module',
    })
  })

  it('has nothing to build in an installed app', async () => {
    await write('dist/renderer/index.html')
    await build()
    expect(said).toEqual([])
  })
})
