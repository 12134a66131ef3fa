import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { number, text, type DicomJsonDataset } from '#common/dicom/json.ts'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { frameBytes } from '../read/testing/frames.ts'
import { readInstanceBytes, readSegmentation, segmentMask, sliceUnder, type TargetSlice } from '../read/index.ts'
import { rgbOfCieLab } from '../read/segmentation.ts'
import { dciodvfyErrors, hasDciodvfy, hasPydicom, python } from '../read/testing/python.ts'
import { framePlane, fromKeywords, writeSegmentation, type SegmentationInput, type SegmentToWrite } from './index.ts'
import { cieLab } from './segmentation.ts'

const ROWS = 5
const COLUMNS = 7
const SLICES = 4

/** An oblique stack, slices given from high to low so that the writer has to sort. */
function source(index: number): DicomJsonDataset {
  return fromKeywords({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
    SOPInstanceUID: `1.2.3.${index + 1}`,
    StudyInstanceUID: '1.2.4',
    SeriesInstanceUID: '1.2.5',
    FrameOfReferenceUID: '1.2.6',
    PatientName: 'ALCOVE^TEST',
    PatientID: 'T',
    PatientBirthDate: null,
    PatientSex: null,
    StudyDate: '20260101',
    StudyTime: '101112',
    StudyID: '1',
    AccessionNumber: null,
    ReferringPhysicianName: null,
    PositionReferenceIndicator: null,
    Rows: ROWS,
    Columns: COLUMNS,
    PixelSpacing: [1.5, 2.5],
    SliceThickness: 3,
    ImageOrientationPatient: [0.8, 0.6, 0, 0, 0, -1],
    // The normal is row × column = (−0.6, 0.8, 0); slice i lies 3·(3−i) mm along it.
    ImagePositionPatient: [10 - 0.6 * 3 * (3 - index), 20 + 0.8 * 3 * (3 - index), 30],
  })
}

const SEGMENTS: SegmentToWrite[] = [
  {
    value: 1,
    label: 'Lesion',
    category: ['49755003', 'SCT', 'Morphologically Altered Structure'],
    type: ['52988006', 'SCT', 'Lesion'],
    colorRgb: [220, 40, 40],
  },
  {
    value: 2,
    label: 'Liver',
    category: ['123037004', 'SCT', 'Anatomical Structure'],
    type: ['10200004', 'SCT', 'Liver'],
    colorRgb: [10, 200, 90],
  },
]

const labels = new Uint8Array(SLICES * ROWS * COLUMNS)
for (let i = 0; i < labels.length; i += 1) {
  const slice = Math.floor(i / (ROWS * COLUMNS))
  if (slice !== 2) labels[i] = (i * 7919) % 5 === 0 ? 1 : slice === 0 && i % 3 === 0 ? 2 : 0
}

const INPUT: SegmentationInput = {
  slices: Array.from({ length: SLICES }, (_, index) => ({ dataset: source(index), frame: null })),
  labels,
  segments: SEGMENTS,
  algorithm: {
    name: 'pet-lesion',
    version: '1.2.3',
    description: 'model sha256 00ff, provider cpu',
    source: 'Alcove',
    softwareVersion: '0.1.0',
  },
  seriesDescription: 'pet-lesion 1.2.3',
}

const TARGETS: TargetSlice[] = INPUT.slices.map(({ dataset }) => ({
  sopInstanceUID: text(dataset, '00080018') ?? '',
  frame: null,
  plane: framePlane(dataset, 1),
}))

/** The label volume from a written object, through our own reader. */
function labelsOf(bytes: Uint8Array): Uint8Array {
  const { head, parts } = readInstanceBytes(bytes)
  const segmentation = readSegmentation(head.dataset)
  const volume = new Uint8Array(labels.length)
  for (const frame of segmentation.frames) {
    const slice = sliceUnder(frame, TARGETS)
    if (slice === null || frame.segment === null) throw new Error(`frame ${frame.frame} lies nowhere`)
    segmentMask(segmentation, frame, frameBytes(head, parts, frame.frame), frame.segment).forEach((value, i) => {
      if (value === 1) volume[slice * ROWS * COLUMNS + i] = frame.segment ?? 0
    })
  }
  return volume
}

describe('a segmentation', () => {
  const written = writeSegmentation(INPUT)
  const bytes = written?.bytes ?? new Uint8Array()

  it('comes back as the label volume it was written from, frames without a segment left out', () => {
    expect([...labelsOf(bytes)]).toEqual([...labels])
    const { head } = readInstanceBytes(bytes)
    // Segment 1 is in slices 0, 1, 3 and segment 2 in slice 0 only.
    expect(head.frames).toBe(4)
    expect(head.packedBits).toBe(ROWS * COLUMNS)
  })

  it('names its segments, sources and algorithm', () => {
    const { head } = readInstanceBytes(bytes)
    const segmentation = readSegmentation(head.dataset)
    expect(segmentation.segments).toEqual([
      {
        number: 1,
        label: 'Lesion',
        algorithmType: 'AUTOMATIC',
        algorithmName: 'pet-lesion 1.2.3',
        type: ['52988006', 'SCT', 'Lesion'],
        colorRgb: [220, 40, 40],
      },
      {
        number: 2,
        label: 'Liver',
        algorithmType: 'AUTOMATIC',
        algorithmName: 'pet-lesion 1.2.3',
        type: ['10200004', 'SCT', 'Liver'],
        colorRgb: [10, 200, 90],
      },
    ])
    expect(segmentation.frames.map((frame) => [frame.segment, frame.source?.sopInstanceUID])).toEqual([
      [1, '1.2.3.4'],
      [1, '1.2.3.2'],
      [1, '1.2.3.1'],
      [2, '1.2.3.1'],
    ])
    expect(segmentation).toMatchObject({ frameOfReferenceUID: '1.2.6', kind: 'binary', rows: ROWS, columns: COLUMNS })
    expect(head.studyInstanceUID).toBe('1.2.4')
  })

  it('is nothing where nothing was found, and refuses what does not fit together', () => {
    expect(writeSegmentation({ ...INPUT, labels: new Uint8Array(labels.length) })).toBeNull()
    expect(() => writeSegmentation({ ...INPUT, labels: new Uint8Array(3) })).toThrow(/differ in size/)
    expect(() => writeSegmentation({ ...INPUT, labels: labels.map((value) => value * 3) })).toThrow(
      /which is no segment/,
    )
    const { '00200032': _position, ...placeless } = source(1)
    expect(() =>
      writeSegmentation({ ...INPUT, slices: INPUT.slices.with(1, { dataset: placeless, frame: null }) }),
    ).toThrow(/no position/)
    const turned = { ...source(1), '00200037': { vr: 'DS', Value: [1, 0, 0, 0, 1, 0] } }
    expect(() =>
      writeSegmentation({ ...INPUT, slices: INPUT.slices.with(1, { dataset: turned, frame: null }) }),
    ).toThrow(/one pixel grid/)
  })

  describe.skipIf(!hasPydicom || !hasDciodvfy)('for others', () => {
    let folder = ''
    let file = ''
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'alcove-seg-'))
      file = join(folder, 'seg.dcm')
      await writeFile(file, bytes)
    })
    afterAll(() => rm(folder, { recursive: true, force: true }))

    it('has no error for dciodvfy', async () => {
      expect(await dciodvfyErrors(file)).toEqual([])
    })

    it('has the same pixels for pydicom', async () => {
      const seen = await python<{
        pixels: number[][]
        segments: number[]
        positions: number[][]
        source: string[]
        equipment: string
      }>(
        `import pydicom, sys, json
ds = pydicom.dcmread(sys.argv[1])
a = ds.pixel_array
f = ds.PerFrameFunctionalGroupsSequence
print(json.dumps({'pixels': a.reshape(len(f), -1).tolist(),
 'segments': [g.SegmentIdentificationSequence[0].ReferencedSegmentNumber for g in f],
 'positions': [[float(v) for v in g.PlanePositionSequence[0].ImagePositionPatient] for g in f],
 'source': [g.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID for g in f],
 'equipment': ds.ContributingEquipmentSequence[0].ContributionDescription}))`,
        [file],
      )
      const slices = seen.source.map((uid) => Number(uid.slice(-1)) - 1)
      seen.pixels.forEach((pixels, frame) => {
        const from = (slices[frame] ?? 0) * ROWS * COLUMNS
        const expected = [...labels.subarray(from, from + ROWS * COLUMNS)].map((label) =>
          label === seen.segments[frame] ? 1 : 0,
        )
        expect(pixels).toEqual(expected)
      })
      expect(seen.positions[0]).toEqual([10, 20, 30])
      expect(seen.equipment).toContain('sha256 00ff')
    })
  })
})

describe('colours', () => {
  it('are the Lab values that other programs compute', () => {
    // sRGB red is L* 54.29, a* 80.81, b* 69.89 against D50 (Bruce Lindbloom's calculator).
    const [l, a, b] = cieLab([255, 0, 0])
    expect((l / 65535) * 100).toBeCloseTo(54.29, 1)
    expect((a / 65535) * 255 - 128).toBeCloseTo(80.81, 1)
    expect((b / 65535) * 255 - 128).toBeCloseTo(69.89, 1)
  })

  it('come back within one step of 256', () => {
    for (const rgb of [
      [0, 0, 0],
      [255, 255, 255],
      [255, 0, 0],
      [12, 200, 99],
      [33, 44, 222],
    ] as const) {
      const back = rgbOfCieLab(cieLab(rgb))
      back.forEach((value, i) => expect(Math.abs(value - (rgb[i] ?? 0))).toBeLessThanOrEqual(1))
    }
  })
})

describe.skipIf(sharedData === null || !hasDciodvfy)('a segmentation of an enhanced multi-frame image', () => {
  it('names frames, and lies on them', async () => {
    const folder = sharedPath('dicom', 'dcm_qa_xa30', 'In', '5_anat-T1w_acq-tfl')
    const [name] = await readdir(folder)
    const { head } = readInstanceBytes(await readFile(join(folder, name ?? '')))
    const pixels = (number(head.dataset, '00280010') ?? 0) * (number(head.dataset, '00280011') ?? 0)
    const slices = Array.from({ length: head.frames }, (_, index) => ({ dataset: head.dataset, frame: index + 1 }))
    const volume = new Uint8Array(pixels * slices.length)
    for (const slice of [30, 31, 32]) volume.fill(1, slice * pixels + 500, slice * pixels + 900)
    const seg = writeSegmentation({ ...INPUT, slices, labels: volume, segments: SEGMENTS.slice(0, 1) })
    const segmentation = readSegmentation(readInstanceBytes(seg?.bytes ?? new Uint8Array()).head.dataset)
    const targets = slices.map(({ dataset, frame }) => ({
      sopInstanceUID: head.sopInstanceUID,
      frame,
      plane: framePlane(dataset, frame),
    }))
    const places = segmentation.frames.map((frame) => [sliceUnder(frame, targets), frame.source?.frame])
    expect(places.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual([
      [30, 31],
      [31, 32],
      [32, 33],
    ])
    const folderOut = await mkdtemp(join(tmpdir(), 'alcove-seg-'))
    try {
      await writeFile(join(folderOut, 'seg.dcm'), seg?.bytes ?? '')
      expect(await dciodvfyErrors(join(folderOut, 'seg.dcm'))).toEqual([])
    } finally {
      await rm(folderOut, { recursive: true, force: true })
    }
  })
})

describe.skipIf(sharedData === null || !hasPydicom)('segmentations of other makers', () => {
  /** Uncompressed ones; compressed frames are the decoder's business. */
  const FILES = [
    'dcmqi/segmentations/liver.dcm',
    'dcmqi/segmentations/partial_overlaps.dcm',
    'dcmqi/segmentations/23x38x3/seg/label.seg',
    'pydicom-data/liver_nonbyte_aligned.dcm',
    'fnndsc-data/rsna_2/SEG/3DSlicer/tumor_User1_Manual_Trial1.dcm',
    'highdicom/seg_image_ct_binary.dcm',
    'highdicom/seg_image_ct_binary_overlap.dcm',
    'highdicom/seg_image_ct_binary_single_frame.dcm',
    'highdicom/seg_image_cr_binary.dcm',
    'highdicom/seg_image_ct_binary_fractional.dcm',
    'highdicom/seg_image_ct_true_fractional.dcm',
    'highdicom/seg_image_sm_control.dcm',
    'highdicom/seg_image_sm_control_labelmap.dcm',
  ]

  it('give the masks that pydicom sees', async () => {
    const seen = await python<{ masks: Record<string, number[]>[]; labels: string[] }[]>(
      `import pydicom, sys, json, numpy as np
out = []
for name in sys.argv[1:]:
    ds = pydicom.dcmread(name)
    a = ds.pixel_array.reshape(int(ds.get('NumberOfFrames') or 1), ds.Rows, ds.Columns)
    masks = []
    for i, frame in enumerate(a):
        g = ds.PerFrameFunctionalGroupsSequence[i]
        if ds.SegmentationType == 'LABELMAP':
            numbers = {int(s.SegmentNumber): frame == s.SegmentNumber for s in ds.SegmentSequence}
        else:
            full = int(ds.get('MaximumFractionalValue') or 1)
            numbers = {int(g.SegmentIdentificationSequence[0].ReferencedSegmentNumber): (frame.astype(int) * 2 >= full) & (frame > 0)}
        masks.append({str(k): [int(m.sum()), int((m * np.arange(1, m.size + 1).reshape(m.shape)).sum())] for k, m in numbers.items()})
    out.append({'masks': masks, 'labels': [s.SegmentLabel for s in ds.SegmentSequence]})
print(json.dumps(out))`,
      FILES.map((name) => sharedPath('dicom', name)),
    )
    for (const [index, name] of FILES.entries()) {
      const { head, parts } = readInstanceBytes(await readFile(sharedPath('dicom', name)))
      const segmentation = readSegmentation(head.dataset)
      expect(
        segmentation.segments.map((segment) => segment.label),
        name,
      ).toEqual(seen[index]?.labels)
      for (const frame of segmentation.frames) {
        const expected = seen[index]?.masks[frame.frame - 1] ?? {}
        for (const [segment, [sum, weighted]] of Object.entries(expected)) {
          const mask = segmentMask(segmentation, frame, frameBytes(head, parts, frame.frame), Number(segment))
          expect(
            mask.reduce((total, value) => total + value, 0),
            `${name} ${frame.frame}`,
          ).toBe(sum)
          expect(
            mask.reduce((total, value, i) => total + value * (i + 1), 0),
            `${name} ${frame.frame}`,
          ).toBe(weighted)
        }
      }
    }
  })

  it.each([
    ['dcmqi/segmentations/liver.dcm', 'dcmqi/segmentations/ct-3slice'],
    ['dcmqi/segmentations/partial_overlaps.dcm', 'dcmqi/segmentations/ct-3slice'],
    ['fnndsc-data/rsna_2/SEG/3DSlicer/tumor_User1_Manual_Trial1.dcm', 'fnndsc-data/rsna_2/PET'],
  ])('%s lies on the slices it names', async (name, series) => {
    const targets: TargetSlice[] = []
    for (const file of await readdir(sharedPath('dicom', series))) {
      const { head } = readInstanceBytes(await readFile(sharedPath('dicom', series, file)))
      targets.push({ sopInstanceUID: head.sopInstanceUID, frame: null, plane: framePlane(head.dataset, 1) })
    }
    const { head } = readInstanceBytes(await readFile(sharedPath('dicom', name)))
    expect(number(head.dataset, '00280008')).toBe(head.frames)
    for (const frame of readSegmentation(head.dataset).frames) {
      const slice = sliceUnder(frame, targets)
      expect(slice, `${name} ${frame.frame}`).not.toBeNull()
      // Found by geometry alone; the source the maker wrote down is the same image.
      if (frame.source !== null) expect(targets[slice ?? -1]?.sopInstanceUID).toBe(frame.source.sopInstanceUID)
    }
  })
})
