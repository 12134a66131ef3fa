import { AlcoveError } from '#common/errors.ts'
import {
  seriesInstanceUID,
  sopInstanceUID,
  studyInstanceUID,
  type SeriesInstanceUID,
  type SOPInstanceUID,
  type StudyInstanceUID,
} from '#common/ids.ts'
import { LIMITS } from '#common/limits.ts'
import type { InstanceRecord, ReadableStudies } from '../../studies/types.ts'

export const DICOMWEB_PREFIX = '/dicom-web'

/** Names in a DICOMweb path (PS3.18 section 10.1). */
export interface Target {
  study?: StudyInstanceUID
  series?: SeriesInstanceUID
  instance?: SOPInstanceUID
}

/** @throws request/invalid when one of them is not a UID */
export function parseTarget(params: Record<string, string | undefined>): Target {
  return {
    ...(params['study'] === undefined ? {} : { study: studyInstanceUID(params['study']) }),
    ...(params['series'] === undefined ? {} : { series: seriesInstanceUID(params['series']) }),
    ...(params['instance'] === undefined ? {} : { instance: sopInstanceUID(params['instance']) }),
  }
}

/**
 * Address of the DICOMweb root as the caller wrote it. Cut from the text, because URL.origin is "null" for the
 * window's own scheme.
 */
export function serviceRoot(request: Request): string {
  return request.url.slice(0, request.url.indexOf(DICOMWEB_PREFIX) + DICOMWEB_PREFIX.length)
}

export function resourceUrl(root: string, target: Target): string {
  let url = root
  if (target.study !== undefined) url += `/studies/${target.study}`
  if (target.series !== undefined) url += `/series/${target.series}`
  if (target.instance !== undefined) url += `/instances/${target.instance}`
  return url
}

/**
 * The instances a path means.
 * @throws not-found when there is no such study, series or instance
 */
export function resolveInstances(studies: ReadableStudies, target: Target): InstanceRecord[] {
  const missing = (what: string): AlcoveError => new AlcoveError('not-found', `There is no such ${what} here.`)
  const { study, series, instance } = target
  if (study === undefined) throw missing('study')
  if (instance !== undefined) {
    const record = studies.instance(study, instance)
    if (record === null || (series !== undefined && record.seriesInstanceUID !== series)) throw missing('instance')
    return [record]
  }
  const records = studies.instances(study, series)
  if (records.length === 0) throw missing(series === undefined ? 'study' : 'series')
  return records
}

/** "1,2,5" → [1, 2, 5]. @throws request/invalid, not-found when the instance has no such frame */
export function parseFrames(list: string, record: InstanceRecord): number[] {
  if (!/^[0-9]+(?:,[0-9]+)*$/.test(list) || list.length > 16 * 1024) {
    throw new AlcoveError('request/invalid', 'Frames are given as numbers from 1, separated by commas.')
  }
  const frames = list.split(',').map(Number)
  if (frames.some((frame) => frame < 1 || frame > LIMITS.dicomFramesPerInstance)) {
    throw new AlcoveError('request/invalid', 'Frames are counted from 1.')
  }
  if (record.frames === 0) throw new AlcoveError('dicom/no-pixels', 'This object has no image.')
  if (frames.some((frame) => frame > record.frames)) {
    throw new AlcoveError('not-found', `This instance has ${record.frames} frame(s).`)
  }
  return frames
}
