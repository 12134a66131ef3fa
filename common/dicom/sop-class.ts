/** Segmentation Storage and Label Map Segmentation Storage (PS3.4 annex B.5): they have frames but are no pictures. */
export const SEGMENTATION_CLASSES: ReadonlySet<string> = new Set([
  '1.2.840.10008.5.1.4.1.1.66.4',
  '1.2.840.10008.5.1.4.1.1.66.7',
])
