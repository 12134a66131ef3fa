/** Writing DICOM: files from DICOM JSON, UIDs, binary segmentations. */
export { decimalString, encodeDataset, writePart10, type PixelsToWrite, type WriteOptions } from './part10.ts'
export { code, copyElements, fromKeywords, type Keywords } from './dataset.ts'
export { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, newUid, uidOf } from './uid.ts'
export { framePlane, type FramePlane, type Vector3 } from './plane.ts'
export {
  SEGMENTATION_STORAGE,
  writeSegmentation,
  type CodedConcept,
  type SegmentationAlgorithm,
  type SegmentationInput,
  type SegmentedSlice,
  type SegmentToWrite,
  type WrittenSegmentation,
} from './segmentation.ts'
