import { fromKeywords, type Keywords, writePart10 } from '../../dicom/write/index.ts'

export const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2'

export interface TestInstance {
  study: string
  series: string
  instance: string
  bytes: Uint8Array
}

export interface TestImageOptions {
  study: string
  series: string
  instance: string
  /** Stored values, rows × columns × frames, signed 16-bit. */
  pixels?: Int16Array
  rows?: number
  columns?: number
  frames?: number
  extra?: Keywords
}

/** A small CT image, explicit VR little endian. */
export function testImage(options: TestImageOptions): TestInstance {
  const { study, series, instance, rows = 4, columns = 6, frames = 1 } = options
  const pixels = options.pixels ?? Int16Array.from({ length: rows * columns * frames }, (_, index) => index - 10)
  const dataset = fromKeywords({
    SOPClassUID: CT_IMAGE_STORAGE,
    SOPInstanceUID: instance,
    StudyInstanceUID: study,
    SeriesInstanceUID: series,
    StudyDate: '20240131',
    StudyTime: '101500',
    AccessionNumber: 'A1',
    Modality: 'CT',
    PatientName: 'Test^One',
    PatientID: 'T1',
    PatientBirthDate: '19700101',
    PatientSex: 'O',
    StudyID: '7',
    SeriesNumber: 1,
    InstanceNumber: 1,
    StudyDescription: 'A test study',
    SeriesDescription: 'A test series',
    ImagePositionPatient: [0, 0, 0],
    ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
    PixelSpacing: [1, 1],
    SliceThickness: 1,
    FrameOfReferenceUID: '2.25.99',
    Rows: rows,
    Columns: columns,
    ...(frames > 1 ? { NumberOfFrames: frames } : {}),
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    RescaleIntercept: -1000,
    RescaleSlope: 2,
    WindowCenter: 40,
    WindowWidth: 400,
    ...options.extra,
  })
  const bytes = writePart10(dataset, {
    pixels: { vr: 'OW', bytes: new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength) },
  })
  return { study, series, instance, bytes }
}

export interface SentPart {
  contentType: string
  bytes: Uint8Array
}

/** A multipart/related body, written by hand so that the reader is not tested against its own writer. */
export function multipartBody(
  parts: readonly SentPart[],
  boundary = 'test-boundary',
): { body: Uint8Array<ArrayBuffer>; contentType: string } {
  const pieces = parts.flatMap(({ contentType, bytes }) => [
    Buffer.from(`--${boundary}\r\nContent-Type: ${contentType}\r\n\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ])
  const body = Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)])
  return {
    body: new Uint8Array(body),
    contentType: `multipart/related; type="application/dicom"; boundary=${boundary}`,
  }
}

export interface ReceivedPart {
  headers: Record<string, string>
  bytes: Buffer
}

/** Takes a multipart answer apart by plain searching, likewise independent of the API's own code. */
export async function receivedParts(response: Response): Promise<ReceivedPart[]> {
  const boundary = /boundary=([^;]+)/.exec(response.headers.get('Content-Type') ?? '')?.[1]
  if (boundary === undefined) throw new Error('The answer is not multipart.')
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1')
  const pieces = `\r\n${text}`.split(`\r\n--${boundary}`)
  return pieces.slice(1, -1).map((piece) => {
    const at = piece.indexOf('\r\n\r\n')
    const lines = piece.slice(2, at).split('\r\n')
    const headers = lines.map((line) => [line.split(': ')[0]!.toLowerCase(), line.slice(line.indexOf(': ') + 2)])
    return {
      headers: Object.fromEntries(headers) as Record<string, string>,
      bytes: Buffer.from(piece.slice(at + 4), 'latin1'),
    }
  })
}
