import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ImportResult } from '#common/contract/studies.ts'
import { studyInstanceUID } from '#common/ids.ts'
import type { StudyInstanceUID } from '#common/ids.ts'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { readInstanceBytes } from '../../dicom/read/index.ts'
import { frameBytes } from '../../dicom/read/testing/frames.ts'
import { collect, testStore } from '../testing/test-store.ts'
import type { TestStore } from '../testing/test-store.ts'

if (sharedData === null) process.stderr.write('SKIPPED: import of the shared sample data, which is not here.\n')

describe.skipIf(sharedData === null)('every file of the shared samples', () => {
  let store: TestStore
  let result: ImportResult
  const files = new Map<string, string>()
  let studies: StudyInstanceUID[]

  beforeAll(async () => {
    store = await testStore()
    result = await store.importer.import([{ kind: 'path', path: sharedPath('dicom') }])
    for (const entry of await readdir(sharedPath('dicom'), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      files.set(
        createHash('sha256')
          .update(await readFile(path))
          .digest('hex'),
        path,
      )
    }
    studies = result.studies.map((study) => studyInstanceUID(study.studyInstanceUID))
  }, 240_000)
  afterAll(() => store.remove())

  it('imports, or is rejected for one of the reasons there are', () => {
    const allowed = new Set([
      'dicom/not-dicom',
      'dicom/dicomdir',
      'dicom/truncated',
      'dicom/corrupt',
      'dicom/missing-attribute',
      'file/empty',
      // The same image in other encodings, and files of one series that share a UID.
      'store/conflict',
    ])
    expect(result.rejected.filter(({ code }) => !allowed.has(code))).toEqual([])
    expect(result.imported).toBeGreaterThan(800)
    const named = result.rejected.filter(({ path }) => path.endsWith('/README.md') || path.endsWith('/MANIFEST.tsv'))
    expect(named.map(({ code }) => code)).toEqual(['dicom/not-dicom', 'dicom/not-dicom'])
  })

  it('comes back byte for byte, with its frames as they stand in the file', { timeout: 240_000 }, async () => {
    let compared = 0
    for (const study of studies) {
      for (const record of store.studies.instances(study)) {
        const bytes = await collect(store.studies.file(study, record.sopInstanceUID))
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(record.sha256)
        const path = files.get(record.sha256)
        // What lies in the ZIP is not in the folder listing.
        if (path === undefined) continue
        compared += 1
        if (record.frames === 0) continue
        const { head, parts } = readInstanceBytes(await readFile(path))
        if (parts[0]?.kind === 'whole') continue
        for (const frame of new Set([1, record.frames])) {
          const read = await store.studies.frame(study, record.sopInstanceUID, frame)
          expect(Buffer.from(read.bytes).equals(frameBytes(head, parts, frame)), `${path} frame ${frame}`).toBe(true)
        }
      }
    }
    expect(compared).toBeGreaterThan(700)
  })

  it('gives the frame of a deflated object inflated: the bytes its uncompressed twin holds', async () => {
    const twin = (name: string) => sharedPath('dicom', 'cornerstone3D', `CTImage.dcm_${name}.dcm`)
    const deflated = await testStore()
    try {
      const path = twin('DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99')
      const { studies: found } = await deflated.importer.import([{ kind: 'path', path }])
      const study = studyInstanceUID(found[0]?.studyInstanceUID ?? '')
      const [record] = deflated.studies.instances(study)
      const frame = await deflated.studies.frame(study, record!.sopInstanceUID, 1)
      const { head, parts } = readInstanceBytes(
        await readFile(twin('LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1')),
      )
      expect(Buffer.from(frame.bytes).equals(frameBytes(head, parts, 1))).toBe(true)
      expect(frame.transferSyntaxUID).toBe('1.2.840.10008.1.2.1')
      expect((await collect(deflated.studies.file(study, record!.sopInstanceUID))).equals(await readFile(path))).toBe(
        true,
      )
    } finally {
      await deflated.remove()
    }
  })

  it('has the 99 slices of the ZIP, in order, with what QIDO shows', () => {
    const { studies: found } = store.studies.listStudies({ match: { PatientID: 'C3N-00247' }, limit: 9, offset: 0 })
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ modalities: ['CT'], series: 1, instances: 99, studyDate: '20100227' })
    const records = store.studies.instances(studyInstanceUID(found[0]!.studyInstanceUID))
    expect(records.map(({ instanceNumber }) => instanceNumber)).toEqual(
      Array.from({ length: 99 }, (_, index) => index + 1),
    )
  })

  it('verifies wholly', { timeout: 120_000 }, async () => {
    for (const study of studies) expect((await store.studies.verifyStudy(study)).damaged).toEqual([])
  })
})
