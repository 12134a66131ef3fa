/**
 * Reading DICOM files. `readInstanceBytes` for a file in memory (views, no copies), `readInstance` for a stream. Pixel
 * bytes come as stored; `frameFromWhole` and `unpackFrame` reach frames that are no parts of their own (deflated
 * files; 1-bit frames that share a byte).
 */
export { frameFromWhole, inflateInstance, readInstanceBytes } from './instance.ts'
export { readInstance } from './stream.ts'
export { unpackFrame } from './pixels.ts'
export { parseBulkDataUri } from './values.ts'
export {
  readSegmentation,
  segmentMask,
  sliceUnder,
  type Segment,
  type Segmentation,
  type SegmentationFrame,
  type TargetSlice,
} from './segmentation.ts'
