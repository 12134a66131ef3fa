import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedData, sharedPath } from '#node/testing/shared-data.ts'
import { ybrFullToRgb } from '../colour.ts'
import { decodeNthFrame } from '../decode-file.ts'
import { decodeJpeg } from './decode-jpeg.ts'

const run = promisify(execFile)
const dcmtk = spawnSync('dcmcjpeg', ['--version']).error === undefined

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Written by cjpeg of libjpeg-turbo 2.1.5; digests of the pixels its djpeg -dct int gives. 37 × 21 pixels. */
const RESTARTS = {
  // -quality 60 -sample 2x2 -restart 1B -optimize
  colour: {
    base64:
      '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAVACUDASIAAhEBAxEB/8QAGQABAQEAAwAAAAAAAAAAAAAAAAQFAQMG/8QAKRAAAQIEBAUFAQAAAAAAAAAAAAECAwQRYQYSo+IFISMxVRQ1QlKR4f/EABkBAAIDAQAAAAAAAAAAAAAAAAQFAQIGA//EACURAAEDAQcFAQAAAAAAAAAAAAQAAQIDBRETMkGh0SEiI1FxYf/dAAQAAf/aAAwDAQACEQMRAD8A89Bk7FTJOxrwZOxWyTsNZFeNKxi+q//QzWyfPsVwZPtyNdsnYqgydgSZXkR4xfRf/9HqnHeibD6OfPX5UpSlrg0uNSyrGhQ8qUazN+r/AADGhUhKmzuy4H28TSIlCnO5m/G9fF//0s+Di9njdfaVtxeyntuttAH8gaGHl3flVGs0a/Lu/K//0+G4vZ43X2lcHF7PG620AiYNDEy7vytCNZo12Xd+V//Ul4pjJHTz0Xh1UaiInW7JSv1uADRUQaGHHt0bV+UKZZwzkVL46vq/v6v/2Q==',
    digest: 'd56b44963c66abc08116f5c6c008a9a2a459ce88e40e24c96f98eaf77a8184c4',
    components: 3,
  },
  // -quality 60 -progressive -restart 2B -optimize
  'progressive grey': {
    base64:
      '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//wgALCAAVACUBAREA/8QAGAABAQEBAQAAAAAAAAAAAAAABAAFAQL/3QAEAAL/2gAIAQEAAAABb3//0DX/0W3/0n5H/9M2t//Ub6//1TX/1m//xAAXEAADAQAAAAAAAAAAAAAAAAAAAzEC/9oACAEBAAEFAlm5/9BlWf/RzFn/0tjL/9NZmf/UWbn/1WGL/9bM/8QAFRABAQAAAAAAAAAAAAAAAAAAEAD/2gAIAQEABj8CP//QP//RP//SP//TP//UP//VP//Wv//EABkQAAIDAQAAAAAAAAAAAAAAAAAxARAhEf/aAAgBAQABPyFav//QB4P/0SzB/9JaP//Tav8A/9RTI//VnpHg/9ZJ/9oACAEBAAAAEH//0P8A/9H/AP/SP//TP//Uv//Vf//Wf//EABwQAQADAQEBAQEAAAAAAAAAAAEAESExUUFhgf/aAAgBAQABPxBYQg0BjP/QotIuXZ//0a12v7MKM//S7zafWf/TNG8/Y1E//9T6+E2vZ//VoefU7KBvZ//Wrd7s/9k=',
    digest: '967df90027445c6c1ff46b09b308826654957f998e5353ca743554a6ecf19338',
    components: 1,
  },
}

describe('DCT with restart markers', () => {
  const size = { width: 37, height: 21 }

  it.each(Object.entries(RESTARTS))('%s equals libjpeg to the bit', (_name, { base64, digest, components }) => {
    const { samples } = decodeJpeg(Buffer.from(base64, 'base64'), { ...size, components })
    if (components === 3) ybrFullToRgb(samples, 8)
    expect(sha256(samples as Uint8Array)).toBe(digest)
  })

  it('refuses a restart marker that is not where it belongs', () => {
    const bytes = Buffer.from(RESTARTS.colour.base64, 'base64')
    const marker = bytes.indexOf(Buffer.from([0xff, 0xd0]))
    const early = Buffer.concat([bytes.subarray(0, marker - 2), bytes.subarray(marker)])
    const gone = Buffer.concat([bytes.subarray(0, marker), bytes.subarray(marker + 2)])
    for (const broken of [early, gone])
      expect(() => decodeJpeg(broken, { ...size, components: 3 })).toThrow(
        expect.objectContaining({ code: 'dicom/undecodable-pixels' }),
      )
  })
})

describe('lossless', () => {
  it('gives back what an encoder written from T.81 annex H put in, for every predictor, shift and restart', () => {
    const image = fc.record({
      width: fc.integer({ min: 1, max: 9 }),
      height: fc.integer({ min: 1, max: 7 }),
      components: fc.constantFrom(1, 3),
      precision: fc.integer({ min: 2, max: 16 }),
      predictor: fc.integer({ min: 1, max: 7 }),
      restartRows: fc.constantFrom(0, 1, 2),
      seed: fc.integer(),
    })
    fc.assert(
      fc.property(image, fc.nat(3), (made, wantedShift) => {
        const shift = Math.min(wantedShift, made.precision - 1)
        const samples = noise(made.width * made.height * made.components, made.precision, made.seed).map(
          (value) => (value >> shift) << shift,
        )
        const decoded = decodeJpeg(encodeLossless(made, samples, shift), made)
        expect(Array.from(decoded.samples)).toEqual(samples)
      }),
      { numRuns: 300 },
    )
  })
})

describe.skipIf(sharedData === null || !dcmtk)('every JPEG that DCMTK writes', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alcove-jpeg-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const ct = 'dicomParser/CT1_UNC.explicit_little_endian.dcm'
  const unsigned = 'dcm_qa_12bit/In/12bitUnsigned_0x0F0F.dcm'
  const colour = 'cornerstone3D/TestPattern_RGB.dcm'
  const ways: [string, string[]][] = [
    ...[1, 2, 3, 4, 5, 6, 7].map((sv): [string, string[]] => [ct, ['+el', '+sv', String(sv)]]),
    [ct, ['+el', '+sv', '4', '+pt', '2', '+pl']],
    [colour, ['+el', '+sv', '7']],
    [unsigned, ['+ee', '+bt']],
    [unsigned, ['+es', '+bt']],
    [unsigned, ['+ep', '+bt']],
    [colour, ['+eb', '+s2', '+q', '70']],
    [colour, ['+ep', '+n1', '+q', '70']],
    [colour, ['+es', '+s4', '+q', '70']],
    [colour, ['+ee', '+be', '+np', '+q', '70']],
    [colour, ['+eb', '+cr', '+q', '70']],
  ]

  it.each(ways)('%s %j', async (path, flags) => {
    const [coded, plain] = [join(folder, 'coded.dcm'), join(folder, 'plain.dcm')]
    await run('dcmcjpeg', [...flags, sharedPath('dicom', path), coded])
    await run('dcmdjpeg', [coded, plain])
    const [ours, theirs] = [
      await decodeNthFrame(await readFile(coded), 1),
      await decodeNthFrame(await readFile(plain), 1),
    ]
    expect(ours.pixels.length).toBe(theirs.pixels.length)
    let worst = 0
    ours.pixels.forEach((value: number, at: number) => (worst = Math.max(worst, Math.abs(value - theirs.pixels[at]!))))
    expect(worst).toBe(0)
  })
})

function noise(count: number, precision: number, seed: number): number[] {
  let state = seed >>> 0
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> (32 - precision)
  })
}

interface LosslessImage {
  width: number
  height: number
  components: number
  precision: number
  predictor: number
  /** 0: none */
  restartRows: number
}

/** One interleaved scan with a Huffman table of seventeen 5-bit codes: code = category. */
function encodeLossless(image: LosslessImage, samples: number[], shift: number): Uint8Array {
  const { width, height, components, precision, predictor, restartRows } = image
  const ids = Array.from({ length: components }, (_, index) => index + 1)
  const lengths = Array.from({ length: 16 }, (_, index) => (index === 4 ? 17 : 0))
  const symbols = Array.from({ length: 17 }, (_, index) => index)
  const interval = restartRows * width
  const segment = (marker: number, body: number[]): number[] => [0xff, marker, 0, body.length + 2, ...body]
  const out = [
    0xff,
    0xd8,
    ...segment(0xc4, [0, ...lengths, ...symbols]),
    ...(interval > 0 ? segment(0xdd, [interval >> 8, interval & 255]) : []),
    ...segment(0xc3, [precision, 0, height, 0, width, components, ...ids.flatMap((id) => [id, 0x11, 0])]),
    ...segment(0xda, [components, ...ids.flatMap((id) => [id, 0]), predictor, 0, shift]),
  ]
  let bits = ''
  const flush = (): void => {
    while (bits.length % 8 !== 0) bits += '1'
    for (const octet of bits.match(/.{8}/g) ?? []) {
      const byte = Number.parseInt(octet, 2)
      out.push(byte, ...(byte === 0xff ? [0] : []))
    }
    bits = ''
  }
  let restarts = 0
  for (let y = 0; y < height; y++) {
    const begins = restartRows > 0 && y % restartRows === 0
    if (begins && y > 0) {
      flush()
      out.push(0xff, 0xd0 + (restarts++ % 8))
    }
    const first = y === 0 || begins
    for (let x = 0; x < width; x++)
      for (let c = 0; c < components; c++) {
        const at = (dx: number, dy: number): number => samples[((y - dy) * width + x - dx) * components + c]! >> shift
        const predictions = (): number[] => {
          const [a, b, corner] = [at(1, 0), at(0, 1), at(1, 1)]
          return [0, a, b, corner, a + b - corner, a + ((b - corner) >> 1), b + ((a - corner) >> 1), (a + b) >> 1]
        }
        const prediction = first
          ? x === 0
            ? 2 ** (precision - shift - 1)
            : at(1, 0)
          : x === 0
            ? at(0, 1)
            : predictions()[predictor]!
        let difference = (at(0, 0) - prediction) & 0xffff
        if (difference > 32768) difference -= 65536
        const category = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1
        bits += category.toString(2).padStart(5, '0')
        if (category > 0 && category < 16)
          bits += (difference < 0 ? difference + 2 ** category - 1 : difference).toString(2).padStart(category, '0')
      }
  }
  flush()
  return Uint8Array.from([...out, 0xff, 0xd9])
}
