import { cache, imageLoader, ImageVolume, type Types } from '@cornerstonejs/core'
import { createImage } from '@cornerstonejs/dicom-image-loader'
import { TRANSFER_SYNTAXES } from '#common/dicom/transfer-syntax.ts'
import { toAlcoveError } from '#common/errors.ts'
import { fetchFrames, type SeriesAddress } from './fetch-frames.ts'
import type { SeriesFrames } from './frames-of-series.ts'
import { colourImage, greyImage, isColour } from './images.ts'
import { registerFrame, unregisterFrame } from './metadata-provider.ts'
import { allocateVoxels, calibrate, type VoxelArray, type VoxelType, voxelTypeFor } from './stored-values.ts'
import { type VolumeVerdict, volumeGeometry } from './volume-geometry.ts'

const SCHEME = 'alcove'
/** Requests under way at a time: enough that one is always on its way while another is unpacked. */
const CONCURRENT_REQUESTS = 2
/** Frames asked for in one request: each request has a price, and what it brings is held until it is unpacked. */
const FRAMES_PER_REQUEST = 12

/** Where the processor draws the page, telling of every frame would cost more than loading it. */
const PROGRESS_PAUSE_MS = 250

export interface LoadProgress {
  loaded: number
  total: number
  failed: number
}

/**
 * The pixels of one series. All frames of a uniform grey series share one voxel buffer: the image a stack shows and
 * the volume the planes cut are views of the same memory, so nothing is held twice.
 */
export class SeriesData {
  readonly address: SeriesAddress
  readonly series: SeriesFrames
  readonly verdict: VolumeVerdict
  readonly voxelType: VoxelType
  readonly volumeId: string
  /** Image ids in voxel order. */
  readonly imageIds: string[]
  #voxels: VoxelArray | null = null
  min = Infinity
  max = -Infinity
  #progress: LoadProgress
  #told = -Infinity
  #listeners = new Set<(progress: LoadProgress) => void>()
  #frames = new Map<number, Promise<Types.IImage>>()
  #abort = new AbortController()
  #queue: number[] = []
  #complete: Promise<void> | null = null
  #volume: ImageVolume | null = null

  constructor(address: SeriesAddress, series: SeriesFrames) {
    this.address = address
    this.series = series
    this.verdict = volumeGeometry(series.frames)
    this.voxelType = voxelTypeFor(series.frames)
    this.volumeId = `alcoveVolume-${address.seriesInstanceUID}`
    this.imageIds = series.frames.map((_, index) => `${SCHEME}:${address.seriesInstanceUID}/${index}`)
    this.#progress = { loaded: 0, total: series.frames.length, failed: 0 }
    for (const [index, frame] of series.frames.entries())
      registerFrame(this.imageIds[index]!, {
        frame,
        modality: this.modalityForCornerstone,
        seriesInstanceUID: address.seriesInstanceUID,
      })
    known.set(address.seriesInstanceUID, this)
  }

  /** cornerstone's CPU renderer keeps fractional values only for what it takes for PET. */
  get modalityForCornerstone(): string {
    return this.voxelType === 'Float32Array' ? 'PT' : this.series.modality === 'PT' ? 'OT' : this.series.modality
  }

  /** Calibrated values of the whole volume, made room for when first asked for; null when the frames form none. */
  get voxels(): VoxelArray | null {
    if (this.#voxels === null && this.verdict.ok && !this.#abort.signal.aborted) {
      const [columns, rows, slices] = this.verdict.geometry.dimensions
      this.#voxels = allocateVoxels(this.voxelType, columns * rows * slices)
    }
    return this.#voxels
  }

  /** Bytes of voxels held now. */
  get heldBytes(): number {
    return this.#voxels?.byteLength ?? 0
  }

  get progress(): LoadProgress {
    return this.#progress
  }

  onProgress(listener: (progress: LoadProgress) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Image ids in the order a person reads them. */
  get readingOrder(): string[] {
    return this.series.readBackwards ? this.imageIds.toReversed() : this.imageIds
  }

  /** The image of a frame, loading it first in line when it is not there yet. */
  image(index: number): Promise<Types.IImage> {
    const known = this.#frames.get(index)
    if (known !== undefined) return known
    return this.#load([index])[0]!
  }

  /** Loads everything, nearest to `from` first. Frames that cannot be decoded are counted, not thrown. */
  loadAll(from: number): Promise<void> {
    if (this.#complete !== null) return this.#complete
    const total = this.imageIds.length
    this.#queue = Array.from({ length: total }, (_, index) => index).sort(
      (a, b) => Math.abs(a - from) - Math.abs(b - from),
    )
    this.#complete = Promise.all(Array.from({ length: CONCURRENT_REQUESTS }, () => this.#drain())).then(async () => {
      await Promise.allSettled(this.#frames.values())
    })
    return this.#complete
  }

  /** One lane of requests, until nothing is left to ask for. */
  async #drain(): Promise<void> {
    for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) {
      if (this.#abort.signal.aborted) return
      await Promise.allSettled(this.#load(batch))
    }
  }

  #nextBatch(): number[] {
    const batch: number[] = []
    while (batch.length < FRAMES_PER_REQUEST) {
      const index = this.#queue.shift()
      if (index === undefined) break
      if (!this.#frames.has(index)) batch.push(index)
    }
    return batch
  }

  #load(indices: number[]): Promise<Types.IImage>[] {
    const frames = indices.map((index) => this.series.frames[index]!)
    const colour = frames.some((frame) => isColour(frame))
    const answer = colour ? null : fetchFrames(this.address, frames, this.#abort.signal)
    return indices.map((index, at) => {
      const made =
        answer === null
          ? colourImage(this.address, frames[at]!, this.imageIds[index]!, this.#abort.signal)
          : answer.then((parts) => this.#decode(index, parts[at]!.bytes, parts[at]!.transferSyntaxUID))
      const image = made.then((ready) => {
        const kept = this.#keep(this.imageIds[index]!, ready)
        this.#report({ loaded: this.#progress.loaded + 1 })
        return kept
      })
      image.catch(() => {
        // Asked for again, it is tried again.
        this.#frames.delete(index)
        this.#report({ failed: this.#progress.failed + 1 })
      })
      this.#frames.set(index, image)
      return image
    })
  }

  #report(change: Partial<LoadProgress>): void {
    if (this.#abort.signal.aborted) return
    this.#progress = { ...this.#progress, ...change }
    const { loaded, failed, total } = this.#progress
    if (loaded + failed < total && performance.now() - this.#told < PROGRESS_PAUSE_MS) return
    this.#told = performance.now()
    for (const listener of this.#listeners) listener(this.#progress)
  }

  async #decode(index: number, bytes: Uint8Array, transferSyntaxUID: string): Promise<Types.IImage> {
    const frame = this.series.frames[index]!
    const imageId = this.imageIds[index]!
    const pixels = frame.rows * frame.columns
    const native = TRANSFER_SYNTAXES.get(transferSyntaxUID)?.codec === 'none'
    const target: VoxelArray =
      this.voxels === null
        ? allocateVoxels(this.voxelType, pixels)
        : this.voxels.subarray(index * pixels, (index + 1) * pixels)
    let stored: Uint8Array | ArrayLike<number> = bytes
    if (!native) {
      // A copy: the decoding thread takes the buffer, and other frames of the same answer lie in it.
      const image = await createImage(imageId, bytes.slice(), transferSyntaxUID, { preScale: { enabled: false } })
      stored = (image as unknown as Types.IImage).getPixelData()
    }
    const { min, max } = calibrate(stored, frame, target, !native)
    this.min = Math.min(this.min, min)
    this.max = Math.max(this.max, max)
    return greyImage(imageId, frame, target, min, max)
  }

  #keep(imageId: string, image: Types.IImage): Types.IImage {
    if (!this.#abort.signal.aborted && cache.getImageLoadObject(imageId) === undefined)
      cache.putImageSync(imageId, image)
    return image
  }

  /** The volume over the shared buffer; null when the frames form none. Everything must have been loaded. */
  volume(): ImageVolume | null {
    if (this.#volume !== null || !this.verdict.ok || this.voxels === null) return this.#volume
    const { geometry } = this.verdict
    const { voxels } = this
    const volume = new ImageVolume({
      volumeId: this.volumeId,
      imageIds: this.imageIds,
      dimensions: geometry.dimensions,
      spacing: geometry.spacingMm,
      origin: geometry.origin,
      direction: geometry.axes.flat() as Types.Mat3,
      dataType: this.voxelType,
      numberOfComponents: 1,
      metadata: {
        Modality: this.modalityForCornerstone,
        FrameOfReferenceUID: this.series.frames[0]?.frameOfReferenceUID ?? '',
        voiLut: [],
      } as never,
    })
    volume.isPreScaled = true
    const manager = volume.voxelManager as unknown as Record<string, unknown>
    // The planes would otherwise each copy the whole volume.
    manager['getCompleteScalarDataArray'] = () => voxels
    manager['getRange'] = () => [this.min, this.max]
    manager['clear'] = () => undefined
    cache.putVolumeSync(this.volumeId, volume)
    this.#volume = volume
    return volume
  }

  /** Stops loading and gives all memory back. */
  dispose(): void {
    this.#abort.abort()
    this.#listeners.clear()
    known.delete(this.address.seriesInstanceUID)
    if (this.#volume !== null && cache.getVolume(this.volumeId)) cache.removeVolumeLoadObject(this.volumeId)
    for (const imageId of this.imageIds) {
      if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true })
      unregisterFrame(imageId)
    }
    this.#frames.clear()
    this.#voxels = null
  }
}

const known = new Map<string, SeriesData>()

export function seriesOfImageId(imageId: string): { data: SeriesData; index: number } | null {
  const match = /^alcove:([^/]+)\/(\d+)$/.exec(imageId)
  const data = match === null ? undefined : known.get(match[1]!)
  return data === undefined ? null : { data, index: Number(match![2]) }
}

export function seriesOfVolumeId(volumeId: string): SeriesData | null {
  return known.get(volumeId.replace(/^alcoveVolume-/, '')) ?? null
}

export function installImageLoader(): void {
  imageLoader.registerImageLoader(SCHEME, (imageId: string) => {
    const found = seriesOfImageId(imageId)
    const promise =
      found === null
        ? Promise.reject(toAlcoveError(new Error('This series has been closed.'), 'not-found'))
        : found.data.image(found.index)
    return { promise: promise, cancelFn: undefined } as never
  })
}
