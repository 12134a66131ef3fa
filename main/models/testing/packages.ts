import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MANIFEST_VERSION, type ModelManifest } from '#common/model/manifest.ts'
import { slowThresholdOnnx, softThresholdOnnx } from './onnx.ts'

export interface TestPackage {
  onnx: Uint8Array
  goldenInput: Float32Array
  goldenOutput: Float32Array
  manifest: Omit<ModelManifest, 'files'>
}

function little(values: Float32Array): Buffer {
  const out = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => out.writeFloatLE(value, i * 4))
  return out
}

/** Writes the package's files with true digests into `directory` (made when absent) and returns the manifest. */
export async function writePackage(directory: string, content: TestPackage): Promise<ModelManifest> {
  await mkdir(directory, { recursive: true })
  const files: Record<string, Uint8Array | string> = {
    'model.onnx': content.onnx,
    'card.md': `# ${content.manifest.title}\n\nA model made for tests.\n`,
    [content.manifest.goldenCase.input]: little(content.goldenInput),
    [content.manifest.goldenCase.output]: little(content.goldenOutput),
  }
  const digests: Record<string, string> = {}
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(join(directory, name), bytes)
    digests[name] = createHash('sha256').update(bytes).digest('hex')
  }
  const manifest: ModelManifest = { ...content.manifest, files: digests }
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest, null, 2))
  return manifest
}

const SUV_HIGH = 20

export interface ThresholdOptions {
  id?: string
  version?: string
  /** SUV at which the probability is one half. */
  centreSuv?: number
  /** [x, y, z] voxels; the ONNX file's own shape is the same. */
  tile?: [number, number, number]
  overlap?: number
  spacingMm?: [number, number, number] | null
  minVolumeMl?: number
  /** Convolutions that change nothing but take time. */
  slowLayers?: number
  slowChannels?: number
  /** Added to every golden output: a package no provider can satisfy. */
  goldenError?: number
}

/** A PET "model" that marks SUV above `centreSuv`: its output is known for every voxel. */
export function thresholdPackage(options: ThresholdOptions = {}): TestPackage {
  const { tile = [16, 16, 16], centreSuv = 4, overlap = 0.5, slowLayers = 0, slowChannels = 24 } = options
  const steepness = 200
  const shape = [1, 1, tile[2], tile[1], tile[0]]
  const centre = centreSuv / SUV_HIGH
  const voxels = tile[0] * tile[1] * tile[2]
  const goldenInput = Float32Array.from({ length: voxels }, (_, i) => (i % 97) / 96)
  const goldenOutput = goldenInput.map(
    (x) => 1 / (1 + Math.exp(-steepness * (x - centre))) + (options.goldenError ?? 0),
  )
  return {
    onnx:
      slowLayers > 0
        ? slowThresholdOnnx(shape, centre, steepness, slowLayers, slowChannels)
        : softThresholdOnnx(shape, centre, steepness),
    goldenInput,
    goldenOutput,
    manifest: {
      manifestVersion: MANIFEST_VERSION,
      id: options.id ?? 'suv-threshold',
      version: options.version ?? '1.0.0',
      title: 'SUV threshold',
      summary: 'Marks what is hotter than a fixed SUV.',
      task: 'segmentation',
      dimensions: 3,
      inputs: [
        {
          name: 'image',
          modalities: ['PT'],
          unit: 'SUVbw',
          channels: 1,
          spacingMm: options.spacingMm === undefined ? [4, 4, 4] : options.spacingMm,
          orientation: 'LPS',
          intensity: { kind: 'clip-scale', low: 0, high: SUV_HIGH },
          size: null,
          tiling: { size: tile, overlap },
        },
      ],
      outputs: [
        {
          name: 'probability',
          activation: 'probability',
          labels: [
            {
              value: 1,
              name: 'Hot region',
              colorRgb: [255, 128, 0],
              category: ['49755003', 'SCT', 'Morphologically Abnormal Structure'],
              type: ['52988006', 'SCT', 'Lesion'],
            },
          ],
          threshold: 0.5,
          ...(options.minVolumeMl === undefined ? {} : { minVolumeMl: options.minVolumeMl }),
          frame: 'voxel',
        },
      ],
      goldenCase: {
        input: 'golden-input.bin',
        inputShape: shape,
        output: 'golden-output.bin',
        outputShape: shape,
        tolerance: { absolute: 1e-3, relative: 0 },
      },
      licence: 'Apache-2.0',
      intendedUse: 'Tests.',
    },
  }
}
