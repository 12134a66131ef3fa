import { framePackBytes, framePackChunks, type PackedFrame } from '#common/contract/frame-pack.ts'
import { EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN } from '#common/dicom/transfer-syntax.ts'
import { seriesInstanceUID, sopInstanceUID } from '#common/ids.ts'
import { AlcoveError } from '#common/errors.ts'
import { streamOf } from '#node/http/body.ts'
import { pixelFormat } from '../../dicom/codecs/pixel-format.ts'
import type { InstanceRecord, ReadableStudies } from '../../studies/types.ts'
import { decodeAside } from '../../workstation-pixels.ts'
import { datasetOf, nativeBytes } from '../dicomweb/frames.ts'
import type { Handlers } from './handler.ts'
import { requireStudy } from './studies.ts'

async function packedFrame(studies: ReadableStudies, record: InstanceRecord, frame: number): Promise<PackedFrame> {
  const stored = await studies.frame(record.studyInstanceUID, record.sopInstanceUID, frame)
  if (stored.transferSyntaxUID !== EXPLICIT_VR_BIG_ENDIAN) return stored
  const format = pixelFormat(await datasetOf(studies, record), record.transferSyntaxUID)
  const decoded = await decodeAside(stored.bytes, format)
  return { bytes: nativeBytes(decoded, format), transferSyntaxUID: EXPLICIT_VR_LITTLE_ENDIAN }
}

/** Frames of one series in bulk: what the window loads a volume with. */
export const frameHandlers: Pick<Handlers, 'seriesFrames'> = {
  async seriesFrames({ params, body }, { workstation }) {
    const { studies } = workstation
    const { uid } = requireStudy(workstation, params.study)
    const series = seriesInstanceUID(params.series)
    const frames = body.frames.map(({ sop, frame }) => {
      const record = studies.instance(uid, sopInstanceUID(sop))
      if (record === null || record.seriesInstanceUID !== series)
        throw new AlcoveError('not-found', 'One of the images is not in this series.')
      return { record, frame }
    })
    const packed = await Promise.all(frames.map(({ record, frame }) => packedFrame(studies, record, frame)))
    return new Response(streamOf(piecesOf(packed)), {
      headers: { 'Content-Type': 'application/vnd.alcove.frames', 'Content-Length': String(framePackBytes(packed)) },
    })
  },
}

async function* piecesOf(packed: readonly PackedFrame[]): AsyncGenerator<Uint8Array> {
  yield* framePackChunks(packed)
}
