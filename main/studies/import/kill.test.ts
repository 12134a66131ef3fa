import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { studyInstanceUID } from '#common/ids.ts'
import { makeInstance } from '../testing/make-instance.ts'
import { testStore } from '../testing/test-store.ts'

/** More for a long run: ALCOVE_KILL_ROUNDS=200 vitest run kill */
const ROUNDS = Number(process.env['ALCOVE_KILL_ROUNDS'] ?? 12)
const STUDIES = 4
const PER_STUDY = 60

/** Imports in a process of its own and kills it `afterMs` after its first sign of life; what it acknowledged by then. */
function importAndKill(
  dataDir: string,
  folder: string,
  afterMs: number,
): Promise<{ acknowledged: string[]; finished: boolean }> {
  const script = join(import.meta.dirname, '..', 'testing', 'import-child.ts')
  const child = spawn(process.execPath, [script, dataDir, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
      output += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', () => {
      // The last line may have been cut off.
      const lines = output.split('\n').slice(0, -1)
      resolve({ acknowledged: lines.filter((line) => line.startsWith('1.')), finished: lines.includes('finished') })
    })
  })
}

it(
  'kill -9 at any moment loses nothing acknowledged and leaves nothing half there',
  { timeout: 60_000 + ROUNDS * 20_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'alcove-kill-'))
    const digests = new Map<string, string>()
    for (let number = 0; number < STUDIES * PER_STUDY; number += 1) {
      const study = `1.9.${number % STUDIES}`
      const sop = `${study}.1.${number}`
      const pixels = new Uint8Array(80_000).fill(number)
      const bytes = makeInstance({ study, sop, instanceNumber: number, pixels })
      digests.set(sop, createHash('sha256').update(bytes).digest('hex'))
      await writeFile(join(folder, `${String(number).padStart(4, '0')}.dcm`), bytes)
    }
    const store = await testStore()
    const acknowledged = new Set<string>()
    let cutShort = 0
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        // A new start from nothing now and then, so that first batches are hit as well as later ones.
        if (round % 3 === 0) {
          for (let study = 0; study < STUDIES; study += 1) {
            const uid = studyInstanceUID(`1.9.${study}`)
            if (store.studies.study(uid) !== null) await store.studies.deleteStudy(uid)
          }
          acknowledged.clear()
        }
        await store.studies.close()
        const result = await importAndKill(store.dataDir, folder, (round * 97) % 700)
        for (const sop of result.acknowledged) acknowledged.add(sop)
        if (!result.finished) cutShort += 1

        await store.reopen()
        const there = new Set<string>()
        const capsules = await readdir(join(store.dataDir, 'studies'))
        let studies = 0
        for (let study = 0; study < STUDIES; study += 1) {
          const uid = studyInstanceUID(`1.9.${study}`)
          const detail = store.studies.study(uid)
          if (detail === null) continue
          studies += 1
          const records = store.studies.instances(uid)
          expect(detail.instances).toBe(records.length)
          expect(detail.bytes).toBe(records.reduce((sum, record) => sum + record.bytes, 0))
          for (const record of records) {
            there.add(record.sopInstanceUID)
            expect(record.sha256).toBe(digests.get(record.sopInstanceUID))
          }
          expect((await store.studies.verifyStudy(uid)).damaged).toEqual([])
        }
        expect([...acknowledged].filter((sop) => !there.has(sop))).toEqual([])
        // One file for each study and nothing else: no journals, no markers, no capsule that nobody knows.
        expect(capsules.filter((name) => !name.endsWith('.db'))).toEqual([])
        expect(capsules.length).toBe(studies)
      }
      expect(cutShort).toBeGreaterThan(0)
    } finally {
      await store.remove()
      await rm(folder, { recursive: true })
    }
  },
)
