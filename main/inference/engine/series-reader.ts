import type { DicomJsonDataset } from '#common/dicom/json.ts'
import { AlcoveError } from '#common/errors.ts'
import { openCapsule, type CapsuleReader } from '../../studies/capsule-reader.ts'
import type { ReadFrame } from '../../studies/types.ts'
import type { RunOrder } from '../messages.ts'

/** One instance of the series, its header read. */
export interface SeriesInstance {
  sopInstanceUID: string
  transferSyntaxUID: string
  frames: number
  dataset: DicomJsonDataset
  /** The frame (1-based) in its original transfer syntax. */
  frame(number: number): ReadFrame
  /** Bytes of the (inflated) instance: bulk data that the data set only refers to. */
  bytes(offset: number, length: number): Uint8Array
}

export interface OpenSeries {
  seriesInstanceUID: string
  instances: SeriesInstance[]
  close(): void
}

/**
 * Opens the one study this process was given and reads the headers of the series, in catalogue order. The key is
 * overwritten. `pause` lets a cancellation in between the instances.
 * @throws store/corrupt, not-found when the series has no instance here
 */
export async function openSeries(
  order: Pick<RunOrder, 'capsule' | 'seriesInstanceUID' | 'instances'>,
  pause: () => Promise<void>,
): Promise<OpenSeries> {
  const { capsule, seriesInstanceUID } = order
  let reader: CapsuleReader
  try {
    reader = openCapsule(capsule)
  } finally {
    capsule.key.fill(0)
  }
  try {
    const instances: SeriesInstance[] = []
    for (const { sopInstanceUID, ...key } of order.instances) {
      await pause()
      const { transferSyntaxUID, frames } = reader.instance(key)
      if (frames === 0) continue
      instances.push({
        sopInstanceUID,
        transferSyntaxUID,
        frames,
        dataset: JSON.parse(reader.dataset(key).toString('utf8')) as DicomJsonDataset,
        frame: (number) => reader.frame(key, number),
        bytes: (offset, length) => reader.bulk(key, offset, length),
      })
    }
    if (instances.length === 0) throw new AlcoveError('not-found', 'The series has no images.')
    return { seriesInstanceUID, instances, close: () => reader.close() }
  } catch (error) {
    reader.close()
    throw error
  }
}
