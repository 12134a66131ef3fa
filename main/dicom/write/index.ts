/** Writing DICOM: files from DICOM JSON, UIDs, binary segmentations. */
export { decimalString, writePart10 } from './part10.ts'
export { fromKeywords, type Keywords } from './dataset.ts'
export { newUid, uidOf } from './uid.ts'
export { framePlane, type FramePlane } from './plane.ts'
export { writeSegmentation, type SegmentationInput, type SegmentToWrite } from './segmentation.ts'
