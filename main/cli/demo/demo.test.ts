import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../main.ts'

interface DemoDocument {
  dataDir: string
  passphraseFile: string
  generated: {
    studyInstanceUID: string
    truth: { volumeMl: number; centreLps: number[]; radiiMm: number[] }
  }
  import: { imported: number; rejected: unknown[] }
  runs: {
    run: { findings: { positive: boolean; centreLps: number[] | null }[]; provenance: { modelId: string } }
    segmentation: string
    pictures: string[]
    dice: number
  }[]
}

let folder: string
let document: DemoDocument

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' }
  const streams = {
    out: (text: string) => void (written.out += text),
    err: (text: string) => void (written.err += text),
    interactive: false,
  }
  return { code: await main(args, streams), ...written }
}

describe('alcove demo', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alcove-demo-'))
    const { code, out, err } = await run('demo', '--out', folder, '--json')
    expect(err).toBe('')
    expect(code).toBe(0)
    document = JSON.parse(out) as DemoDocument
  }, 240_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('imports all it made and runs the bundled model', () => {
    expect(document.import).toMatchObject({ imported: 200, rejected: [] })
    expect(document.runs.map(({ run: { provenance } }) => provenance.modelId)).toEqual(['pet-lesion'])
  })

  it('reports the overlap that the written SEG really has with the ellipsoid', () => {
    const { truth } = document.generated
    // From the SEG file alone: every voxel's place in the patient, against the ellipsoid's equation.
    const script = `
import sys, json, numpy as np, pydicom
d = pydicom.dcmread(sys.argv[1])
centre, radii, frames = np.array(json.loads(sys.argv[2])), np.array(json.loads(sys.argv[3])), sys.argv[4]
import glob, os
pets = [pydicom.dcmread(f, stop_before_pixels=True) for f in glob.glob(os.path.join(frames, '*'))]
ps = [float(v) for v in pets[0].PixelSpacing]
rows, cols = pets[0].Rows, pets[0].Columns
def inside(z, origin):
    y, x = np.mgrid[0:rows, 0:cols]
    p = np.stack([origin[0] + x * ps[1], origin[1] + y * ps[0], np.full(x.shape, z)], -1)
    return (((p - centre) / radii) ** 2).sum(-1) <= 1
truth = {round(float(p.ImagePositionPatient[2]), 2): inside(float(p.ImagePositionPatient[2]), [float(v) for v in p.ImagePositionPatient]) for p in pets}
found = {z: np.zeros((rows, cols), bool) for z in truth}
for mask, f in zip(d.pixel_array.reshape((-1, rows, cols)), d.PerFrameFunctionalGroupsSequence):
    found[round(float(f.PlanePositionSequence[0].ImagePositionPatient[2]), 2)] |= mask.astype(bool)
both = sum((found[z] & truth[z]).sum() for z in truth)
print(2 * both / (sum(t.sum() for t in truth.values()) + sum(f.sum() for f in found.values())))
`
    const [{ segmentation, dice } = { segmentation: '', dice: 0 }] = document.runs
    const args = [
      segmentation,
      JSON.stringify(truth.centreLps),
      JSON.stringify(truth.radiiMm),
      join(folder, 'dicom', 'PT'),
    ]
    const expected = Number(execFileSync('/usr/bin/python3', ['-c', script, ...args], { encoding: 'utf8' }))
    expect(dice).toBeCloseTo(expected, 2)
    expect(expected).toBeGreaterThan(0)
  })

  it('finds the lesion', () => {
    const { centreLps, radiiMm } = document.generated.truth
    const positive = document.runs[0]!.run.findings.filter((finding) => finding.positive && finding.centreLps !== null)
    const inside = positive.some(
      (finding) =>
        finding.centreLps!.reduce((sum, at, axis) => sum + ((at - centreLps[axis]!) / radiiMm[axis]!) ** 2, 0) <= 1,
    )
    expect(inside).toBe(true)
  })

  it('draws three planes with the outline in them', async () => {
    const { pictures } = document.runs[0]!
    expect(pictures).toHaveLength(3)
    for (const picture of pictures) {
      const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true })
      expect(info.width).toBeGreaterThan(800)
      let outline = 0
      for (let at = 0; at < data.length; at += 3) {
        if (data[at] === 0 && data[at + 1] === 229 && data[at + 2] === 255) outline += 1
      }
      expect(outline, picture).toBeGreaterThan(100)
    }
  })

  it('keeps its passphrase to its owner and its studies encrypted', async () => {
    expect((await stat(document.passphraseFile)).mode & 0o077).toBe(0)
    expect(existsSync(join(document.dataDir, 'vault.json'))).toBe(true)
    const found = execFileSync('sh', [
      '-c',
      `grep -rlc "${document.generated.studyInstanceUID}" "$0" || true`,
      document.dataDir,
    ])
    expect(found.toString()).toBe('')
  })
})
