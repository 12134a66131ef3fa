import type { DicomJsonDataset, DicomJsonElement } from '#common/dicom/json.ts'

export type Level = 'study' | 'series' | 'instance'
export const LEVELS: readonly Level[] = ['study', 'series', 'instance']

/** Answered without being asked for: PS3.18 tables 10.6.3-3 to 10.6.3-5, and Study Description, which every list shows. */
export const DEFAULT_TAGS: Readonly<Record<Level, readonly string[]>> = {
  study: tags(`00080020 00080030 00080050 00080056 00080061 00080090 00080201 00081030 00100010 00100020 00100030
    00100040 0020000D 00200010 00201206 00201208`),
  series: tags('00080060 00080201 0008103E 0020000E 00200011 00201209 00400244 00400245 00400275'),
  instance: tags('00080016 00080018 00080056 00080201 00083002 00200013 00280008 00280010 00280011 00280100'),
}

/** Counts and lists the catalogue works out itself. */
export const MODALITIES_IN_STUDY = '00080061'
export const INSTANCE_AVAILABILITY = '00080056'
export const SERIES_IN_STUDY = '00201206'
export const INSTANCES_IN_STUDY = '00201208'
export const INSTANCES_IN_SERIES = '00201209'
export const AVAILABLE_TRANSFER_SYNTAX = '00083002'
const COMPUTED: ReadonlySet<string> = new Set([
  MODALITIES_IN_STUDY,
  INSTANCE_AVAILABILITY,
  SERIES_IN_STUDY,
  INSTANCES_IN_STUDY,
  INSTANCES_IN_SERIES,
  AVAILABLE_TRANSFER_SYNTAX,
])

/** What the catalogue keeps of each level, so that it can be searched by and asked for with no capsule opened. */
const KEPT_TAGS: Readonly<Record<Level, ReadonlySet<string>>> = {
  study: new Set([
    ...DEFAULT_TAGS.study,
    ...tags(`00080080 00080081 00080094 00080096 00081032 00081048 00081060 00081080 00081110 00100021 00100022
      00100032 00101000 00101001 00101010 00101020 00101030 00101040 00102160 00102180 001021B0 00104000
      00120020 00120040 00120062 00120063 00321032 00321033 00321060 00380010 00400012 00401012`),
  ]),
  series: new Set([
    ...DEFAULT_TAGS.series,
    ...tags(`00080021 00080031 00080068 00080070 00081010 00081040 00081050 00081070 00081090 0008103F 00081111
      00180010 00180015 00180020 00180021 00180022 00180023 00180050 00180060 00180087 00181000 00181020 00181030
      00185100 00200052 00200060 00201040 00400250 00400251 00400253 00400254 00400255 00400260 00540081 00541001
      00541102`),
  ]),
  instance: new Set([
    ...DEFAULT_TAGS.instance,
    ...tags(`00080008 00080012 00080013 00080022 00080023 0008002A 00080032 00080033 00081140 00180050 00180088
      00181041 00200012 00200032 00200037 00200062 00201041 00204000 00280002 00280004 00280006 00280030 00280101
      00280102 00280103 00280106 00280107 00281050 00281051 00281052 00281053 00281054 00282110 0040A043 0040A491
      0040A493 00420010 00420012 00540016 00700080 00700081 00700082 00700083`),
  ]),
}

function tags(list: string): string[] {
  return list.trim().split(/\s+/)
}

/** One element may be this long as JSON: the catalogue is an index, the whole data set lies in the capsule. */
const ELEMENT_CHARACTERS = 4096

/** The part of a data set the catalogue keeps at `level`, without what it works out itself. */
export function keptAttributes(dataset: DicomJsonDataset, level: Level): DicomJsonDataset {
  const kept: DicomJsonDataset = {}
  for (const tag of KEPT_TAGS[level]) {
    const found = dataset[tag]
    if (found === undefined || COMPUTED.has(tag)) continue
    if (found.Value === undefined && Object.keys(found).length > 1) continue
    if (found.Value !== undefined && JSON.stringify(found).length > ELEMENT_CHARACTERS) continue
    kept[tag] = found
  }
  return kept
}

/** The uppermost level at which an attribute is kept; null when the catalogue does not have it. */
export function levelOf(tag: string): Level | null {
  return LEVELS.find((level) => KEPT_TAGS[level].has(tag)) ?? null
}

export function isComputed(tag: string): boolean {
  return COMPUTED.has(tag)
}

export function element(vr: string, ...values: (string | number)[]): DicomJsonElement {
  return values.length === 0 ? { vr } : { vr, Value: values }
}
