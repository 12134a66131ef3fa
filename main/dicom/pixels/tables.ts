import { type DicomJsonDataset, type DicomJsonElement, items } from '#common/dicom/json.ts'
import { parseBulkDataUri } from '../read/values.ts'

/** Palettes and their segmented form; LUT Data inside the LUT sequences. */
const TABLES = ['00281201', '00281202', '00281203', '00281221', '00281222', '00281223']
const SEQUENCES = ['00283000', '00283010']
const LUT_DATA = '00283006'

/**
 * The data set with the lookup tables that display needs brought in where it holds them only by reference
 * ("bulk:<offset>:<length>"). Unchanged when there are none.
 * @param read bytes of the (inflated) instance
 */
export async function withTables(
  dataset: DicomJsonDataset,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<DicomJsonDataset> {
  const inline = async (element: DicomJsonElement): Promise<DicomJsonElement> => {
    const place = element.BulkDataURI === undefined ? null : parseBulkDataUri(element.BulkDataURI)
    if (place === null) return element
    const bytes = await read(place.offset, place.length)
    return { vr: element.vr, InlineBinary: Buffer.from(bytes).toString('base64') }
  }
  const changed: DicomJsonDataset = {}
  for (const tag of TABLES) {
    const element = dataset[tag]
    if (element?.BulkDataURI !== undefined) changed[tag] = await inline(element)
  }
  for (const tag of SEQUENCES) {
    const found = items(dataset, tag)
    if (!found.some((item) => item[LUT_DATA]?.BulkDataURI !== undefined)) continue
    const filled = found.map(async (item) => {
      const data = item[LUT_DATA]
      return data === undefined ? item : { ...item, [LUT_DATA]: await inline(data) }
    })
    changed[tag] = { vr: 'SQ', Value: await Promise.all(filled) }
  }
  return Object.keys(changed).length === 0 ? dataset : { ...dataset, ...changed }
}
