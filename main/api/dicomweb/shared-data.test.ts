import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApiClient } from '#common/contract/client.ts'
import { decodeMasks, unpackMask } from '#common/contract/masks.ts'
import { type DicomJsonDataset, text } from '#common/dicom/json.ts'
import { decodeFramePack } from '#common/contract/frame-pack.ts'
import { EXPLICIT_VR_BIG_ENDIAN } from '#common/dicom/transfer-syntax.ts'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { multipartBody, receivedParts } from '../testing/instances.ts'
import { openTestApi, type TestApi } from '../testing/open-test-api.ts'

/** The same CT slice, carried losslessly in these ways. */
const LOSSLESS = /^CTImage\.dcm_(?:.*Endian|JPEG2000LosslessOnly|JPEGLSLossless|JPEGProcess14|RLELossless)/
const PYTHON = '/usr/bin/python3'

interface Facts {
  study: string
  series: string
  sop: string
  syntax: string
  pixels: string
}

/** What pydicom says: UIDs, transfer syntax, and SHA-256 of the decoded first frame as little endian. */
function pydicomFacts(paths: string[]): Facts[] {
  const script = `
import sys, json, hashlib, pydicom
from pydicom.pixel_data_handlers import gdcm_handler
out = []
for path in sys.argv[1:]:
    d = pydicom.dcmread(path)
    a = d.pixel_array
    out.append(dict(study=d.StudyInstanceUID, series=d.SeriesInstanceUID, sop=d.SOPInstanceUID,
        syntax=d.file_meta.TransferSyntaxUID, pixels=hashlib.sha256(a.astype(a.dtype.newbyteorder('<')).tobytes()).hexdigest()))
print(json.dumps(out))
`
  return JSON.parse(execFileSync(PYTHON, ['-c', script, ...paths], { encoding: 'utf8' })) as Facts[]
}

describe.skipIf(sharedData === null)('DICOMweb with real files', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await openTestApi('loopback')
  })
  afterAll(() => api.close())

  const stow = async (paths: string[]): Promise<Response> => {
    const parts = await Promise.all(
      paths.map(async (path) => ({ contentType: 'application/dicom', bytes: await readFile(path) })),
    )
    const { body, contentType } = multipartBody(parts)
    return api.fetch('/dicom-web/studies', { method: 'POST', headers: { 'Content-Type': contentType }, body })
  }

  it('gives back byte for byte what was stored, and pixels as pydicom decodes them', async () => {
    const folder = sharedPath('dicom', 'cornerstone3D')
    const names = execFileSync('ls', [folder], { encoding: 'utf8' }).trim().split('\n')
    const paths = names.filter((name) => LOSSLESS.test(name)).map((name) => join(folder, name))
    expect(paths).toHaveLength(9)
    const facts = pydicomFacts(paths)
    // All are the same image under one UID: one at a time, deleted in between.
    for (const [index, fact] of facts.entries()) {
      const path = paths[index]!
      expect((await stow([path])).status, basename(path)).toBe(200)
      const at = `/dicom-web/studies/${fact.study}/series/${fact.series}/instances/${fact.sop}`
      const [file] = await receivedParts(await api.fetch(at))
      expect(file!.bytes.equals(await readFile(path)), basename(path)).toBe(true)
      const decoded = await api.fetch(`${at}/frames/1`, { headers: { Accept: 'application/octet-stream' } })
      expect(decoded.headers.get('Content-Type')).toBe('application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1')
      const bytes = Buffer.from(await decoded.arrayBuffer())
      expect(createHash('sha256').update(bytes).digest('hex'), basename(path)).toBe(fact.pixels)
      const native = /^1\.2\.840\.10008\.1\.2(?:\.1|\.1\.99)?$/.test(fact.syntax)
      const [stored] = await receivedParts(
        await api.fetch(`${at}/frames/1`, {
          headers: { Accept: 'multipart/related; type="application/octet-stream"; transfer-syntax=*' },
        }),
      )
      expect(stored!.headers['content-type']).toBe(
        `application/octet-stream; transfer-syntax=${native ? '1.2.840.10008.1.2.1' : fact.syntax}`,
      )
      // The window's bulk frames: as stored, but uncompressed ones always little endian.
      const bulk = await api.fetch(`/api/v1/studies/${fact.study}/series/${fact.series}/frames`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ frames: [{ sop: fact.sop, frame: 1 }] }),
      })
      const [packed] = decodeFramePack(new Uint8Array(await bulk.arrayBuffer()))
      const uncompressed = native || fact.syntax === EXPLICIT_VR_BIG_ENDIAN
      if (uncompressed)
        expect(createHash('sha256').update(packed!.bytes).digest('hex'), basename(path)).toBe(fact.pixels)
      else expect(Buffer.from(packed!.bytes).equals(stored!.bytes), basename(path)).toBe(true)
      expect((await api.fetch(`/api/v1/studies/${fact.study}`, { method: 'DELETE' })).status).toBe(204)
    }
  })

  it('lays the masks of a real SEG on its CT slices, voxel by voxel as pydicom has them', async () => {
    const seg = sharedPath('dicom', 'dcmqi', 'segmentations', 'liver.dcm')
    const folder = sharedPath('dicom', 'dcmqi', 'segmentations', 'ct-3slice')
    const slices = execFileSync('ls', [folder], { encoding: 'utf8' }).trim().split('\n')
    expect((await stow([seg, ...slices.map((name) => join(folder, name))])).status).toBe(200)
    const script = `
import sys, json, pydicom
d = pydicom.dcmread(sys.argv[1])
a = d.pixel_array.reshape((-1, d.Rows, d.Columns))
out = []
for i, f in enumerate(d.PerFrameFunctionalGroupsSequence):
    ref = f.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
    if a[i].any(): out.append([int(f.SegmentIdentificationSequence[0].ReferencedSegmentNumber), ref, int(a[i].sum()), int(a[i].argmax())])
print(json.dumps([d.StudyInstanceUID, d.SOPInstanceUID, out]))
`
    const [study, sop, frames] = JSON.parse(execFileSync(PYTHON, ['-c', script, seg], { encoding: 'utf8' })) as [
      string,
      string,
      [segment: number, source: string, voxels: number, first: number][],
    ]
    const client = createApiClient<Response, RequestInit['body'], AbortSignal>((url, init) =>
      api.fetch(url, init as RequestInit),
    )
    const { segmentations } = await client.listSegmentations({ params: { study } })
    expect(segmentations.map((one) => one.sopInstanceUID)).toContain(sop)
    const { head, masks } = decodeMasks(await client.segmentationMasks({ params: { study, sop } }), (bytes) =>
      new TextDecoder().decode(bytes),
    )
    const found = head.frames.map(({ segment, sopInstanceUID }, index) => {
      const mask = unpackMask(masks[index]!, head.rows * head.columns)
      return [segment, sopInstanceUID, mask.reduce((sum, value) => sum + value, 0), mask.indexOf(1)]
    })
    expect(found).toEqual(frames)
  })

  it('calibrates a PET to SUV and finds it by QIDO', async () => {
    const folder = sharedPath('dicom', 'fnndsc-data', 'rsna_2', 'PET')
    const names = execFileSync('ls', [folder], { encoding: 'utf8' }).trim().split('\n')
    expect((await stow(names.map((name) => join(folder, name)))).status).toBe(200)
    const response = await api.fetch('/dicom-web/series?Modality=PT')
    const [row] = (await response.json()) as DicomJsonDataset[]
    expect(row!['00201209']!.Value).toEqual([299])
    const study = text(row!, '0020000D')
    const series = text(row!, '0020000E')
    const calibration = (await (await api.fetch(`/api/v1/studies/${study}/series/${series}/calibration`)).json()) as {
      unit: string
      suvFactor: number
      instances: { slope: number }[]
    }
    expect(calibration.unit).toBe('SUVbw')
    expect(calibration.instances).toHaveLength(299)
    const script = `
import sys, pydicom
d = pydicom.dcmread(sys.argv[1])
r = d.RadiopharmaceuticalInformationSequence[0]
t = lambda s: int(str(s)[0:2]) * 3600 + int(str(s)[2:4]) * 60 + float(str(s)[4:])
dt = t(d.SeriesTime) - t(r.RadiopharmaceuticalStartTime)
dose = float(r.RadionuclideTotalDose) * 2 ** (-dt / float(r.RadionuclideHalfLife))
print(d.Units, d.DecayCorrection, float(d.PatientWeight) * 1000 / dose)
`
    const [units, correction, factor] = execFileSync(PYTHON, ['-c', script, join(folder, names[0]!)], {
      encoding: 'utf8',
    }).split(' ')
    expect([units, correction]).toEqual(['BQML', 'START'])
    expect(calibration.suvFactor).toBeCloseTo(Number(factor), 10)
  })
})
