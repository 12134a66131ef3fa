/** Limits on everything read from outside. One table, so that a reader finds every bound in one place. */
const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

export const LIMITS = {
  /** Everything of an instance before its pixel data. */
  dicomHeaderBytes: 64 * MiB,
  dicomSequenceDepth: 32,
  /** Data elements and items of one instance, nested ones included. */
  dicomElements: 4_000_000,
  /** Values of all elements of one instance: a few MiB of backslashes are millions of them. */
  dicomValues: 16_000_000,
  /** One instance, pixel data included. */
  dicomInstanceBytes: 64 * GiB,
  /** A deflated data set after inflation. */
  dicomInflatedBytes: 512 * MiB,
  /** One decoded frame: rows × columns × samples × bytes. */
  dicomFrameBytes: 1 * GiB,
  dicomFramesPerInstance: 1_000_000,
  /** Voxels of one volume in memory, four bytes each. */
  volumeBytes: 4 * GiB,
  zipEntries: 2_000_000,
  zipNestingDepth: 4,
  /** A ZIP may unpack to this many times its own size before it is called a bomb. */
  zipExpansionRatio: 1_000,
  /** A ZIP inside a ZIP is unpacked in memory, never to disk. */
  zipNestedBytes: 512 * MiB,
  importPathDepth: 64,
  jsonBodyBytes: 1 * MiB,
  stowBodyBytes: 16 * GiB,
  stowHeaderBytes: 64 * KiB,
  /** Packed masks of one segmentation as sent to the window. */
  maskDocumentBytes: 512 * MiB,
  qidoPageSize: 1_000,
  /** Frames in one bulk answer to the window. */
  framesPerRequest: 64,
  manifestBytes: 1 * MiB,
  modelCardBytes: 1 * MiB,
  modelBytes: 2 * GiB,
} as const
