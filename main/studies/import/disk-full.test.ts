import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { sopInstanceUID, studyInstanceUID } from '#common/ids.ts'
import { openVault } from '../../vault/open-vault.ts'
import { openStudies } from '../open-studies.ts'
import { makeInstance } from '../testing/make-instance.ts'
import { collect, streams, TEST_PASSPHRASE } from '../testing/test-store.ts'

/** A small file system of its own; null where this user may not mount one. */
async function smallDisk(): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'alcove-full-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'ignore' })
    return folder
  } catch {
    await rm(folder, { recursive: true })
    return null
  }
}

it('a full disk ends the import with store/full; what was acknowledged is whole, and it goes on after room is made', async (context) => {
  const disk = await smallDisk()
  if (disk === null) return context.skip('needs the right to mount a tmpfs')
  try {
    const vault = await openVault(disk, { createIfMissing: true, passphrase: TEST_PASSPHRASE })
    let { studies, importer } = await openStudies({ dataDir: disk, vault })
    const study = studyInstanceUID('1.2.3.4')
    const first = makeInstance({ sop: '1.2.3.4.1', pixels: new Uint8Array(1_000_000).fill(1) })
    await importer.import(streams({ first }))
    const more = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [
        `more ${index}`,
        makeInstance({
          sop: `1.2.3.4.2.${index}`,
          study: `1.2.3.${4 + (index % 2)}`,
          pixels: new Uint8Array(1_000_000).fill(index),
        }),
      ]),
    )
    await expect(importer.import(streams(more))).rejects.toMatchObject({ code: 'store/full' })
    for (let round = 0; round < 2; round += 1) {
      expect((await collect(studies.file(study, sopInstanceUID('1.2.3.4.1')))).equals(first)).toBe(true)
      for (const { studyInstanceUID: uid } of studies.listStudies({ match: {}, limit: 9, offset: 0 }).studies)
        expect((await studies.verifyStudy(studyInstanceUID(uid))).damaged).toEqual([])
      await studies.close()
      ;({ studies, importer } = await openStudies({ dataDir: disk, vault }))
    }
    execFileSync('mount', ['-o', 'remount,size=64m', disk])
    const again = await importer.import(streams(more))
    expect(again.imported + again.duplicates).toBe(20)
    expect(again.rejected).toEqual([])
    await studies.close()
  } finally {
    execFileSync('umount', ['-l', disk])
    await rm(disk, { recursive: true, force: true })
  }
})
