export interface TransferSyntax {
  uid: string
  name: string
  littleEndian: boolean
  explicitVR: boolean
  /** Pixel data is a sequence of fragments (PS3.5 annex A.4). */
  encapsulated: boolean
  deflated: boolean
  lossy: boolean
  codec:
    | 'none'
    | 'rle'
    | 'jpeg'
    | 'jpeg-lossless'
    | 'jpeg-ls'
    | 'jpeg-2000'
    | 'htj2k'
    | 'jpeg-xl'
    | 'deflated-frame'
    | 'video'
}

type Row = [uid: string, name: string, codec: TransferSyntax['codec'], lossy: boolean]

const encapsulatedRows: Row[] = [
  ['1.2.840.10008.1.2.5', 'RLE Lossless', 'rle', false],
  ['1.2.840.10008.1.2.8.1', 'Deflated Image Frame Compression', 'deflated-frame', false],
  ['1.2.840.10008.1.2.4.50', 'JPEG Baseline (Process 1)', 'jpeg', true],
  ['1.2.840.10008.1.2.4.51', 'JPEG Extended (Process 2 & 4)', 'jpeg', true],
  ['1.2.840.10008.1.2.4.53', 'JPEG Spectral Selection (Process 6 & 8, retired)', 'jpeg', true],
  ['1.2.840.10008.1.2.4.55', 'JPEG Full Progression (Process 10 & 12, retired)', 'jpeg', true],
  ['1.2.840.10008.1.2.4.57', 'JPEG Lossless (Process 14)', 'jpeg-lossless', false],
  ['1.2.840.10008.1.2.4.70', 'JPEG Lossless SV1', 'jpeg-lossless', false],
  ['1.2.840.10008.1.2.4.80', 'JPEG-LS Lossless', 'jpeg-ls', false],
  ['1.2.840.10008.1.2.4.81', 'JPEG-LS Near-Lossless', 'jpeg-ls', true],
  ['1.2.840.10008.1.2.4.90', 'JPEG 2000 Lossless', 'jpeg-2000', false],
  ['1.2.840.10008.1.2.4.91', 'JPEG 2000', 'jpeg-2000', true],
  ['1.2.840.10008.1.2.4.100', 'MPEG2 Main Profile / Main Level', 'video', true],
  ['1.2.840.10008.1.2.4.101', 'MPEG2 Main Profile / High Level', 'video', true],
  ['1.2.840.10008.1.2.4.102', 'MPEG-4 AVC/H.264 High Profile', 'video', true],
  ['1.2.840.10008.1.2.4.103', 'MPEG-4 AVC/H.264 BD-compatible', 'video', true],
  ['1.2.840.10008.1.2.4.107', 'HEVC/H.265 Main Profile', 'video', true],
  ['1.2.840.10008.1.2.4.110', 'JPEG XL Lossless', 'jpeg-xl', false],
  ['1.2.840.10008.1.2.4.111', 'JPEG XL JPEG Recompression', 'jpeg-xl', true],
  ['1.2.840.10008.1.2.4.112', 'JPEG XL', 'jpeg-xl', true],
  ['1.2.840.10008.1.2.4.201', 'HTJ2K Lossless', 'htj2k', false],
  ['1.2.840.10008.1.2.4.202', 'HTJ2K Lossless RPCL', 'htj2k', false],
  ['1.2.840.10008.1.2.4.203', 'HTJ2K', 'htj2k', true],
]

const native = { encapsulated: false, lossy: false, codec: 'none' } as const

export const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2'
export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1'
const DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1.99'
export const EXPLICIT_VR_BIG_ENDIAN = '1.2.840.10008.1.2.2'

/** PS3.6 table A-1 and PS3.5 section 10, those Alcove knows by name. */
export const TRANSFER_SYNTAXES: ReadonlyMap<string, TransferSyntax> = new Map(
  (
    [
      {
        uid: IMPLICIT_VR_LITTLE_ENDIAN,
        name: 'Implicit VR Little Endian',
        littleEndian: true,
        explicitVR: false,
        deflated: false,
        ...native,
      },
      {
        uid: EXPLICIT_VR_LITTLE_ENDIAN,
        name: 'Explicit VR Little Endian',
        littleEndian: true,
        explicitVR: true,
        deflated: false,
        ...native,
      },
      {
        uid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
        name: 'Deflated Explicit VR Little Endian',
        littleEndian: true,
        explicitVR: true,
        deflated: true,
        ...native,
      },
      {
        uid: EXPLICIT_VR_BIG_ENDIAN,
        name: 'Explicit VR Big Endian (retired)',
        littleEndian: false,
        explicitVR: true,
        deflated: false,
        ...native,
      },
      ...encapsulatedRows.map(([uid, name, codec, lossy]) => ({
        uid,
        name,
        codec,
        lossy,
        littleEndian: true,
        explicitVR: true,
        deflated: false,
        encapsulated: true,
      })),
    ] satisfies TransferSyntax[]
  ).map((syntax) => [syntax.uid, syntax]),
)
