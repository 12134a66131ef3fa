import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sopInstanceUID, studyInstanceUID } from '#common/ids.ts'
import { makeInstance } from '../testing/make-instance.ts'
import { makeZip } from '#node/testing/make-zip.ts'
import { collect, streams, testStore } from '../testing/test-store.ts'
import type { TestStore } from '../testing/test-store.ts'
import type { ImportOutcome, ImportProgress } from '../types.ts'

const study = studyInstanceUID('1.2.3.4')
let store: TestStore
let folder: string

beforeEach(async () => {
  store = await testStore()
  folder = await mkdtemp(join(tmpdir(), 'alcove-import-'))
})
afterEach(async () => {
  await store.remove()
  await rm(folder, { recursive: true, force: true })
})

const fromPath = (path: string) => store.importer.import([{ kind: 'path', path }])
const codes = (result: { rejected: { path: string; code: string }[] }) =>
  Object.fromEntries(result.rejected.map(({ path, code }) => [path, code]))
const dicom = (number: number, more: Partial<Parameters<typeof makeInstance>[0]> = {}) =>
  makeInstance({
    sop: `1.2.3.4.5.${number}`,
    instanceNumber: number,
    pixels: new Uint8Array(1000).fill(number),
    ...more,
  })

describe('folders', () => {
  it('takes everything below, says of each other file why not, and never stops', async () => {
    await mkdir(join(folder, 'disc', 'IMAGES'), { recursive: true })
    const disc = join(folder, 'disc')
    await writeFile(join(disc, 'IMAGES', '1'), dicom(1))
    await writeFile(join(disc, 'IMAGES', '2.dcm'), dicom(2))
    await writeFile(join(disc, 'no-preamble'), dicom(3).subarray(132))
    await writeFile(join(disc, 'readme.txt'), 'Insert this disc.\n'.repeat(20))
    await writeFile(join(disc, 'empty'), '')
    await writeFile(join(disc, 'cut.dcm'), dicom(4).subarray(0, 900))
    execFileSync('mkfifo', [join(disc, 'pipe')])
    await symlink(disc, join(disc, 'IMAGES', 'up'))
    await symlink(join(disc, 'gone'), join(disc, 'dangling'))
    const result = await fromPath(disc)
    expect(result.imported).toBe(3)
    expect(codes(result)).toEqual({
      'disc/readme.txt': 'dicom/not-dicom',
      'disc/empty': 'file/empty',
      'disc/cut.dcm': 'dicom/truncated',
      'disc/pipe': 'file/unreadable',
      'disc/dangling': 'file/unreadable',
    })
    for (const { message } of result.rejected) expect(message).toMatch(/^[A-Z].*\.$/s)
    expect((await fromPath(join(folder, 'nowhere'))).rejected).toMatchObject([
      { path: 'nowhere', code: 'file/unreadable' },
    ])
  })

  it('rejects a DICOMDIR kindly', async () => {
    const directory = makeInstance({
      sop: '1.2.9',
      more: { '00080016': { vr: 'UI', Value: ['1.2.840.10008.1.3.10'] } },
    })
    const result = await store.importer.import(streams({ DICOMDIR: directory }))
    expect(codes(result)).toEqual({ DICOMDIR: 'dicom/dicomdir' })
  })

  it('does not believe absurd sizes', async () => {
    // A header that promises 4 GiB of pixels, and one of a million times a million pixels.
    const honest = dicom(1)
    const pixelData = honest.indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00]))
    const huge = Buffer.from(honest)
    huge.writeUInt32LE(0xfffffffe, pixelData + 8)
    const wide = dicom(2)
    const rows = wide.indexOf(Buffer.from([0x28, 0x00, 0x10, 0x00]))
    wide.writeUInt16LE(0xffff, rows + 8)
    const before = process.memoryUsage().rss
    const result = await store.importer.import(streams({ huge, wide }))
    expect(result.imported).toBe(0)
    expect(result.rejected).toHaveLength(2)
    for (const { code } of result.rejected) expect(code).toMatch(/^dicom\/(?:truncated|corrupt|too-large)$/)
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024)
  })

  it('reads a large file piece by piece, byte for byte', async () => {
    const frames = 40
    const pixels = new Uint8Array(frames * 1_000_000)
    for (let frame = 0; frame < frames; frame += 1) pixels.fill(frame + 1, frame * 1_000_000, (frame + 1) * 1_000_000)
    const bytes = makeInstance({ sop: '1.2.3.4.5.1', pixels, frames })
    await writeFile(join(folder, 'large.dcm'), bytes)
    await writeFile(
      join(folder, 'large-cut.dcm'),
      Buffer.concat([makeInstance({ sop: '1.2.3.4.5.2', pixels, frames }).subarray(0, 30_000_000)]),
    )
    const result = await fromPath(folder)
    expect(result.imported).toBe(1)
    expect(result.rejected.map(({ code }) => code)).toEqual(['dicom/truncated'])
    const sop = sopInstanceUID('1.2.3.4.5.1')
    expect((await collect(store.studies.file(study, sop))).equals(bytes)).toBe(true)
    expect(new Set((await store.studies.frame(study, sop, 17)).bytes)).toEqual(new Set([17]))
    expect(await fromPath(join(folder, 'large.dcm'))).toMatchObject({ imported: 0, duplicates: 1 })
    await store.reopen()
    expect((await store.studies.verifyStudy(study)).damaged).toEqual([])
  })
})

describe('what is there already', () => {
  it('skips the same content, refuses other content under the same UID, keeps what it has', async () => {
    await store.importer.import(streams({ first: dicom(1) }))
    const result = await store.importer.import(
      streams({
        same: dicom(1),
        other: dicom(1, { patientName: 'Else^Somebody' }),
        elsewhere: dicom(1, { study: '9.9' }),
        twice: dicom(2),
        again: dicom(2),
      }),
    )
    expect(result).toMatchObject({ imported: 1, duplicates: 2 })
    expect(codes(result)).toEqual({ other: 'store/conflict', elsewhere: 'store/conflict' })
    expect((await collect(store.studies.file(study, sopInstanceUID('1.2.3.4.5.1')))).equals(dicom(1))).toBe(true)
    expect(store.studies.listStudies({ match: {}, limit: 9, offset: 0 }).total).toBe(1)
    await store.reopen()
    expect((await readdir(join(store.dataDir, 'studies'))).length).toBe(1)
  })

  it('files that come at the same moment under one UID are told apart too', async () => {
    for (const letter of 'abcdef')
      await writeFile(join(folder, letter), dicom(1, { patientName: `${letter <= 'c' ? 'Same' : letter}^X` }))
    const result = await fromPath(folder)
    expect(result.imported).toBe(1)
    expect(result.duplicates + result.rejected.length).toBe(5)
    expect(new Set(Object.values(codes(result)))).toEqual(new Set(['store/conflict']))
    expect(store.studies.instances(study)).toHaveLength(1)
  })

  it('adds to a study that is partly there, also while it is read', async () => {
    await store.importer.import(streams({ a: dicom(1) }))
    await store.reopen()
    const reading = Array.from({ length: 20 }, () => store.studies.frame(study, sopInstanceUID('1.2.3.4.5.1'), 1))
    await store.importer.import(streams({ b: dicom(2), c: dicom(3, { series: '1.2.3.4.2', modality: 'MR' }) }))
    await Promise.all(reading)
    expect(store.studies.study(study)).toMatchObject({ series: 2, instances: 3, modalities: ['MR', 'OT'] })
    for (const number of [1, 2, 3])
      expect((await collect(store.studies.file(study, sopInstanceUID(`1.2.3.4.5.${number}`)))).length).toBeGreaterThan(
        1000,
      )
  })

  it('several imports at once do not disturb each other', async () => {
    const results = await Promise.all(
      [0, 1, 2, 3].map((lane) =>
        store.importer.import(
          streams(Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`f${n}`, dicom(n + (lane % 2) * 5)]))),
        ),
      ),
    )
    expect(results.reduce((sum, { imported }) => sum + imported, 0)).toBe(10)
    expect(results.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(10)
    expect(store.studies.study(study)?.instances).toBe(10)
  })
})

describe('what the caller is told', () => {
  it('one outcome for each object, and only those of the study asked for', async () => {
    const outcomes: ImportOutcome[] = []
    const sources = streams({
      a: dicom(1),
      b: dicom(2, { study: '9.9' }),
      c: Buffer.from('nothing at all, but long enough'),
    })
    await store.importer.import(sources, { onOutcome: (outcome) => outcomes.push(outcome), onlyStudy: study })
    expect(Object.fromEntries(outcomes.map(({ name, state, rejection }) => [name, [state, rejection?.code]]))).toEqual({
      a: ['imported', undefined],
      b: ['rejected', 'store/conflict'],
      c: ['rejected', 'dicom/not-dicom'],
    })
    expect(outcomes.find(({ name }) => name === 'b')?.head?.studyInstanceUID).toBe('9.9')
  })

  it('progress ends with everything done', async () => {
    for (let number = 1; number <= 30; number += 1) await writeFile(join(folder, `${number}`), dicom(number))
    const progress: ImportProgress[] = []
    await store.importer.import([{ kind: 'path', path: folder }], { onProgress: (step) => progress.push(step) })
    expect(progress.at(-1)).toMatchObject({ done: 30, total: 30 })
    for (const [index, step] of progress.entries())
      expect(step.done).toBeGreaterThanOrEqual(progress[index - 1]?.done ?? 0)
  })

  it('a cancelled import keeps what was acknowledged and says so', async () => {
    for (let number = 1; number <= 40; number += 1) await writeFile(join(folder, `${number}`), dicom(number))
    const cancel = new AbortController()
    const acknowledged: string[] = []
    const first = Promise.withResolvers<void>()
    const sources = (async function* () {
      yield* streams({ a: dicom(1), b: dicom(2) })
      await first.promise
      yield { kind: 'path' as const, path: folder }
    })()
    const importing = store.importer.import(sources, {
      signal: cancel.signal,
      onOutcome: ({ head }) => {
        acknowledged.push(head?.sopInstanceUID ?? '')
        cancel.abort()
        first.resolve()
      },
    })
    await expect(importing).rejects.toMatchObject({ code: 'task/cancelled' })
    const there = new Set(store.studies.instances(study).map((record) => record.sopInstanceUID as string))
    expect(acknowledged.length).toBeGreaterThan(0)
    expect(there.size).toBeLessThan(40)
    expect(acknowledged.filter((sop) => !there.has(sop))).toEqual([])
    await expect(store.importer.import([], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'task/cancelled',
    })
    // And the next one goes on from there.
    expect((await fromPath(folder)).imported + there.size).toBe(40)
  })

  it('a stream that breaks off, or stalls until cancelled, concerns itself alone', async () => {
    const broken = (async function* () {
      yield await Promise.resolve(dicom(1).subarray(0, 500))
      throw new Error('connection reset')
    })()
    const result = await store.importer.import([
      { kind: 'stream', name: 'broken', chunks: broken },
      ...streams({ fine: dicom(2) }),
    ])
    expect(result).toMatchObject({ imported: 1, rejected: [{ path: 'broken', code: 'file/unreadable' }] })
    const stalled = (async function* () {
      yield dicom(3).subarray(0, 500)
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    })()
    const signal = AbortSignal.timeout(300)
    await expect(
      store.importer.import([{ kind: 'stream', name: 's', chunks: stalled }], { signal }),
    ).rejects.toMatchObject({ code: 'task/cancelled' })
  })
})

describe('ZIP', () => {
  it('is read without being unpacked to disk: nested, with folders, deflated and stored, whatever its names say', async () => {
    const inner = makeZip([{ name: 'deep/4', content: dicom(4) }])
    const bytes = makeZip([
      { name: 'DICOM/', content: new Uint8Array(0), stored: true },
      { name: 'DICOM/1', content: dicom(1) },
      { name: '../../../etc/2', content: dicom(2), stored: true },
      { name: '/absolute\\3', content: dicom(3) },
      { name: 'inner.zip', content: inner },
      { name: 'notes.txt', content: Buffer.from('hello world '.repeat(40)) },
    ])
    await writeFile(join(folder, 'patient.zip'), bytes)
    const result = await fromPath(join(folder, 'patient.zip'))
    expect(result.imported).toBe(4)
    expect(codes(result)).toEqual({ 'patient.zip/notes.txt': 'dicom/not-dicom' })
    expect(await readdir(folder)).toEqual(['patient.zip'])
    // The same bytes as an upload.
    expect(await store.importer.import(streams({ 'patient.zip': bytes }))).toMatchObject({ imported: 0, duplicates: 4 })
  })

  it('rejects what is encrypted, damaged, unknown or lies about itself, and takes the rest', async () => {
    const bytes = makeZip([
      { name: 'secret', content: dicom(1), encrypted: true },
      { name: 'lzma', content: dicom(2), method: 14 },
      { name: 'crc', content: dicom(3), declaredCrc: 1 },
      { name: 'short', content: dicom(4), declaredSize: 10 },
      { name: 'enormous', content: dicom(5), declaredSize: 0xfffffff0 },
      { name: 'good', content: dicom(6) },
    ])
    await writeFile(join(folder, 'a.zip'), bytes)
    await writeFile(join(folder, 'b.zip'), bytes.subarray(0, bytes.length - 30))
    await writeFile(join(folder, 'c.zip'), makeZip([]))
    const result = await fromPath(folder)
    const name = folder.split('/').at(-1)
    expect(result.imported).toBe(1)
    expect(codes(result)).toEqual({
      [`${name}/a.zip/secret`]: 'archive/encrypted',
      [`${name}/a.zip/lzma`]: 'archive/corrupt',
      [`${name}/a.zip/crc`]: 'archive/corrupt',
      [`${name}/a.zip/short`]: 'archive/corrupt',
      [`${name}/a.zip/enormous`]: 'archive/corrupt',
      [`${name}/b.zip`]: 'archive/corrupt',
    })
  })

  it('stops at bombs: too deep, or too much', async () => {
    let deep = makeZip([{ name: 'x', content: dicom(1) }])
    for (let depth = 0; depth < 5; depth += 1) deep = makeZip([{ name: 'next.zip', content: deep, stored: true }])
    const deepResult = await store.importer.import(streams({ 'deep.zip': deep }))
    expect(deepResult.rejected.map(({ code }) => code)).toEqual(['archive/unsafe'])

    // 10 MiB of zeros deflate to 10 KB: nested once more, 15 of them pass the thousandfold of the outermost archive.
    const zeros = makeZip([{ name: 'zeros', content: new Uint8Array(10 * 1024 * 1024) }])
    const many = makeZip(Array.from({ length: 15 }, (_, index) => ({ name: `${index}.zip`, content: zeros })))
    const result = await store.importer.import(streams({ 'bomb.zip': many }))
    expect(many.length * 1000).toBeLessThan(15 * 10 * 1024 * 1024)
    expect(result.imported).toBe(0)
    expect(result.rejected.map(({ code }) => code)).toContain('archive/unsafe')
  })
})

it('many studies at once: more than are held open', async () => {
  for (let number = 0; number < 60; number += 1)
    await writeFile(
      join(folder, `${number}`),
      dicom(number, { study: `7.${number % 30}`, sop: `7.${number % 30}.${number}` }),
    )
  expect(await fromPath(folder)).toMatchObject({ imported: 60, rejected: [] })
  const { studies } = store.studies.listStudies({ match: {}, limit: 100, offset: 0 })
  expect(studies.map(({ instances }) => instances)).toEqual(Array.from({ length: 30 }, () => 2))
  await store.reopen()
  expect((await readdir(join(store.dataDir, 'studies'))).filter((name) => !name.endsWith('.db'))).toEqual([])
})
