import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AlcoveError } from '#common/errors.ts'
import { LIMITS } from '#common/limits.ts'
import { modelManifestSchema, type ModelManifest } from '#common/model/manifest.ts'

export const MODEL_FILE = 'model.onnx'
export const MANIFEST_FILE = 'manifest.json'
export const CARD_FILE = 'card.md'

const FLOAT32_BYTES = 4

function invalid(message: string, cause?: unknown): AlcoveError {
  return new AlcoveError('model/invalid-package', message, cause === undefined ? undefined : { cause })
}

/** Size in bytes of a regular file inside `directory`; no component of `name` may be a symbolic link. */
export async function regularFileBytes(directory: string, name: string): Promise<number> {
  const parts = name.split('/')
  for (let depth = 1; depth <= parts.length; depth++) {
    const info = await lstat(join(directory, ...parts.slice(0, depth))).catch((error: unknown) => {
      throw invalid(`The model package lacks the file ${name}.`, error)
    })
    if (info.isSymbolicLink()) throw invalid(`${name} is a symbolic link; a model package holds plain files only.`)
    if (depth === parts.length) {
      if (!info.isFile()) throw invalid(`${name} is not a plain file.`)
      return info.size
    }
  }
  throw invalid(`${name} is not a file name.`)
}

/** What the schema alone cannot say: fields that must fit each other. One sentence each. */
function contradictions(manifest: ModelManifest): string[] {
  const found: string[] = []
  for (const name of [MODEL_FILE, CARD_FILE, manifest.goldenCase.input, manifest.goldenCase.output])
    if (!(name in manifest.files)) found.push(`files: lacks a digest for ${name}.`)
  if (MANIFEST_FILE in manifest.files) found.push('files: manifest.json cannot hold its own digest.')
  for (const [index, input] of manifest.inputs.entries()) {
    if (manifest.dimensions === 2 && input.size === null)
      found.push(`inputs[${index}].size: a 2-D model needs a width and a height.`)
    if (manifest.dimensions === 3 && input.unit === 'display')
      found.push(`inputs[${index}].unit: a 3-D model reads SUVbw, HU or stored values, not display grey.`)
    if ((input.unit === 'display') !== (input.intensity.kind === 'display-zscore'))
      found.push(`inputs[${index}].intensity: display-zscore goes with the unit display, and only with it.`)
    if ('low' in input.intensity && input.intensity.low >= input.intensity.high)
      found.push(`inputs[${index}].intensity.low: must be below high.`)
  }
  for (const [index, output] of manifest.outputs.entries()) {
    const values = new Set(output.labels.map((label) => label.value))
    if (values.size !== output.labels.length) found.push(`outputs[${index}].labels: two labels share one value.`)
  }
  return found
}

/**
 * Reads and checks manifest.json of the package folder.
 * @throws model/invalid-package naming the first field that is wrong
 */
export async function readManifest(directory: string): Promise<ModelManifest> {
  if ((await regularFileBytes(directory, MANIFEST_FILE)) > LIMITS.manifestBytes)
    throw invalid(`manifest.json is larger than ${LIMITS.manifestBytes} bytes.`)
  let json: unknown
  try {
    json = JSON.parse(await readFile(join(directory, MANIFEST_FILE), 'utf8'))
  } catch (error) {
    throw invalid('manifest.json is not JSON.', error)
  }
  const parsed = modelManifestSchema.safeParse(json)
  if (!parsed.success) {
    const version = z.object({ manifestVersion: z.number() }).safeParse(json)
    if (version.success && version.data.manifestVersion > modelManifestSchema.shape.manifestVersion.value)
      throw invalid(
        `This model package has format ${version.data.manifestVersion}, newer than this Alcove reads; update Alcove.`,
      )
    const [issue] = parsed.error.issues
    throw invalid(`manifest.json, ${issue?.path.join('.') || 'top level'}: ${issue?.message ?? 'invalid'}.`)
  }
  const [problem] = contradictions(parsed.data)
  if (problem !== undefined) throw invalid(`manifest.json, ${problem}`)
  return parsed.data
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function byteLimit(name: string): number {
  return name === CARD_FILE ? LIMITS.modelCardBytes : LIMITS.modelBytes
}

/**
 * Checks every file the manifest names: a plain file, within its limit, of the stated digest; golden tensors as long
 * as their shapes say.
 * @throws model/invalid-package, model/digest-mismatch
 */
export async function verifyFiles(directory: string, manifest: ModelManifest): Promise<void> {
  let total = 0
  const { goldenCase } = manifest
  for (const [name, expected] of Object.entries(manifest.files)) {
    const bytes = await regularFileBytes(directory, name)
    total += bytes
    if (bytes > byteLimit(name) || total > LIMITS.modelBytes)
      throw invalid(`The model package is larger than allowed (${name}).`)
    for (const [tensor, shape] of [
      [goldenCase.input, goldenCase.inputShape],
      [goldenCase.output, goldenCase.outputShape],
    ] as const) {
      const wanted = shape.reduce((product, side) => product * side, 1) * FLOAT32_BYTES
      if (name === tensor && bytes !== wanted)
        throw invalid(`${name} holds ${bytes} bytes; its shape ${shape.join(' × ')} asks for ${wanted}.`)
    }
    if ((await sha256OfFile(join(directory, name))) !== expected)
      throw new AlcoveError(
        'model/digest-mismatch',
        `${name} of ${manifest.id} ${manifest.version} is not the file its manifest describes; get the package again.`,
      )
  }
}

/** Names of the files the manifest gives digests for, plus the manifest itself: what an installed package consists of. */
export function packageFiles(manifest: ModelManifest): string[] {
  return [MANIFEST_FILE, ...Object.keys(manifest.files)]
}

/** SHA-256 of model.onnx as the manifest states it. */
export function modelDigest(manifest: ModelManifest): string {
  const digest = manifest.files[MODEL_FILE]
  if (digest === undefined) throw invalid(`manifest.json, files: lacks a digest for ${MODEL_FILE}.`)
  return digest
}
