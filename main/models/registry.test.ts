import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelManifest } from '#common/model/manifest.ts'
import { openModelRegistry } from './registry.ts'
import { thresholdPackage, writePackage } from './testing/packages.ts'
import { makeZip, type ZipEntry } from '#node/testing/make-zip.ts'

let folder: string
const bundledDir = () => join(folder, 'bundled')
const installedDir = () => join(folder, 'installed')
const open = () => openModelRegistry({ bundledDir: bundledDir(), installedDir: installedDir() })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alcove-models-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function makePackage(name: string, options = {}): Promise<string> {
  const directory = join(folder, name)
  await writePackage(directory, thresholdPackage(options))
  return directory
}

async function changeManifest(directory: string, change: (manifest: ModelManifest) => unknown): Promise<void> {
  const path = join(directory, 'manifest.json')
  const manifest = JSON.parse(await readFile(path, 'utf8')) as ModelManifest
  await writeFile(path, JSON.stringify(change(manifest) ?? manifest))
}

async function zipItems(directory: string, prefix = ''): Promise<ZipEntry[]> {
  const names = await readdir(directory)
  return Promise.all(
    names.map(async (name) => ({ name: prefix + name, content: await readFile(join(directory, name)) })),
  )
}

async function writeZipFile(items: ZipEntry[]): Promise<string> {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.zip`)
  await writeFile(path, makeZip(items))
  return path
}

const invalid = (message: RegExp) => ({ code: 'model/invalid-package', message: expect.stringMatching(message) })

describe('model registry', () => {
  it('lists bundled models and installs others beside them, several versions at a time', async () => {
    await writePackage(join(bundledDir(), 'suv-threshold'), thresholdPackage())
    await mkdir(join(bundledDir(), 'training'))
    const models = await open()
    const installed = await models.install(await makePackage('newer', { version: '1.10.0' }))
    await models.install(await makePackage('new', { version: '1.9.0' }))
    await models.install(await makePackage('other', { id: 'another' }))

    const listed = await models.list()
    expect(listed.map(({ id, version, source }) => `${id} ${version} ${source}`)).toEqual([
      'another 1.0.0 installed',
      'suv-threshold 1.10.0 installed',
      'suv-threshold 1.9.0 installed',
      'suv-threshold 1.0.0 bundled',
    ])
    expect((await models.find('suv-threshold', null)).manifest.version).toBe('1.10.0')
    expect((await models.find('suv-threshold', '1.0.0')).source).toBe('bundled')
    expect(await models.card('suv-threshold', '1.9.0')).toContain('A model made for tests.')
    const digest = createHash('sha256')
      .update(await readFile(join(folder, 'newer', 'model.onnx')))
      .digest('hex')
    expect(installed).toMatchObject({ digest, modalities: ['PT'], task: 'segmentation' })
  })

  it('installs the same package twice as once, and refuses a changed one under the same version', async () => {
    const models = await open()
    await models.install(await makePackage('a'))
    await models.install(await makePackage('again'))
    expect(await models.list()).toHaveLength(1)
    await expect(models.install(await makePackage('changed', { centreSuv: 5 }))).rejects.toMatchObject({
      code: 'store/conflict',
    })
    const rethresholded = await makePackage('rethresholded')
    await changeManifest(rethresholded, (manifest) => {
      manifest.outputs[0]!.threshold = 0.9
    })
    await expect(models.install(rethresholded)).rejects.toMatchObject({ code: 'store/conflict' })
  })

  it('lets one of two different packages of one version win, and only one', async () => {
    const models = await open()
    const both = [await makePackage('a'), await makePackage('b', { centreSuv: 5 })]
    const outcomes = await Promise.allSettled(both.map((path) => models.install(path)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'store/conflict' } })
    expect((await models.list())[0]!.digest).toBe((await models.find('suv-threshold', null)).digest)
  })

  it('removes an installed version and keeps what is bundled', async () => {
    await writePackage(join(bundledDir(), 'suv-threshold'), thresholdPackage())
    const models = await open()
    await models.install(await makePackage('two', { version: '2.0.0' }))
    await models.remove('suv-threshold', '2.0.0')
    expect((await models.list()).map(({ version }) => version)).toEqual(['1.0.0'])
    expect(await readdir(join(installedDir(), 'suv-threshold'))).toEqual([])
    await expect(models.remove('suv-threshold', '1.0.0')).rejects.toMatchObject({ code: 'auth/forbidden' })
    await expect(models.remove('suv-threshold', '2.0.0')).rejects.toMatchObject({ code: 'not-found' })
    await expect(models.find('no-such-model', null)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('finds out when an installed file was altered, also after it was handed out once', async () => {
    const models = await open()
    await models.install(await makePackage('a'))
    const { directory } = await models.find('suv-threshold', null)
    const model = await readFile(join(directory, 'model.onnx'))
    model[model.length - 1]! ^= 1
    await writeFile(join(directory, 'model.onnx'), model)
    await expect(models.find('suv-threshold', null)).rejects.toMatchObject({ code: 'model/digest-mismatch' })
    await expect((await open()).find('suv-threshold', null)).rejects.toMatchObject({ code: 'model/digest-mismatch' })
  })

  it('names the field that is wrong', async () => {
    const models = await open()
    const cases: [RegExp, (manifest: ModelManifest) => unknown][] = [
      [/outputs\.0\.threshold/, (m) => void (m.outputs[0]!.threshold = 2)],
      [/inputs\.0\.modalities/, (m) => void (m.inputs[0]!.modalities = [])],
      [/files: lacks a digest for card\.md/, (m) => void delete m.files['card.md']],
      [/intensity\.low/, (m) => void (m.inputs[0]!.intensity = { kind: 'clip-scale', low: 3, high: 3 })],
      [/newer than this Alcove/, (m) => ({ ...m, manifestVersion: 2 })],
      [/goldenCase\.input: a relative path/, (m) => void (m.goldenCase.input = '../outside.bin')],
      [/golden-input\.bin holds 16384 bytes/, (m) => void (m.goldenCase.inputShape = [1, 1, 16, 16, 15])],
    ]
    for (const [index, [message, change]] of cases.entries()) {
      const directory = await makePackage(`case-${index}`)
      await changeManifest(directory, change)
      await expect(models.install(directory)).rejects.toMatchObject(invalid(message))
    }
    expect(await models.list()).toEqual([])
    // Nothing half-installed stays behind.
    expect(await readdir(installedDir())).toEqual([])
  })

  it('refuses links, missing files and files of another digest', async () => {
    const models = await open()
    const linked = await makePackage('linked')
    await rename(join(linked, 'card.md'), join(folder, 'card.md'))
    await symlink(join(folder, 'card.md'), join(linked, 'card.md'))
    await expect(models.install(linked)).rejects.toMatchObject(invalid(/card\.md is a symbolic link/))

    const missing = await makePackage('missing')
    await rm(join(missing, 'golden-output.bin'))
    await expect(models.install(missing)).rejects.toMatchObject(invalid(/lacks the file golden-output\.bin/))

    const altered = await makePackage('altered')
    await writeFile(join(altered, 'card.md'), 'Cleared for everything.')
    await expect(models.install(altered)).rejects.toMatchObject({ code: 'model/digest-mismatch' })
    await expect(models.install(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'not-found' })
  })

  it('installs a ZIP, of the files or of their folder, and leaves out what the manifest does not vouch for', async () => {
    const models = await open()
    const directory = await makePackage('a')
    await models.install(await writeZipFile([...(await zipItems(directory)), { name: 'run-me.sh', content: 'true' }]))
    const { directory: target } = await models.find('suv-threshold', null)
    expect((await readdir(target)).toSorted()).toEqual(
      ['card.md', 'golden-input.bin', 'golden-output.bin', 'manifest.json', 'model.onnx'].toSorted(),
    )
    const second = await makePackage('b', { version: '2.0.0' })
    await models.install(await writeZipFile(await zipItems(second, 'suv-threshold-2.0.0/')))
    expect((await models.find('suv-threshold', null)).manifest.version).toBe('2.0.0')
  })

  it('refuses ZIPs with links, paths that leave the folder, lies about sizes, and what is not a ZIP', async () => {
    const models = await open()
    const items = await zipItems(await makePackage('a'))
    const attempts: ZipEntry[][] = [
      [...items, { name: '../escaped.txt', content: 'x' }],
      [...items, { name: '/etc/escaped.txt', content: 'x' }],
      [...items, { name: 'link', content: '/etc/passwd', mode: 0o120777 }],
      [...items, { name: 'twice', content: '1' }, { name: 'twice', content: '2' }],
      [...items, { name: 'zeros.bin', content: Buffer.alloc(1 << 20), declaredSize: 10 }],
      [{ name: 'readme.txt', content: 'no manifest' }],
    ]
    for (const attempt of attempts)
      await expect(models.install(await writeZipFile(attempt))).rejects.toMatchObject({ code: 'model/invalid-package' })
    const path = join(folder, 'noise.zip')
    await writeFile(path, 'This is not a ZIP at all, only some text that goes on for a while.')
    await expect(models.install(path)).rejects.toMatchObject({ code: 'model/invalid-package' })
    expect(await models.list()).toEqual([])
    expect((await readdir(folder)).includes('escaped.txt')).toBe(false)
  })

  it('clears what an interrupted install left behind', async () => {
    await mkdir(join(installedDir(), '.pending-1', 'package'), { recursive: true })
    const models = await open()
    expect(await readdir(installedDir())).toEqual([])
    expect(await models.list()).toEqual([])
  })
})
