import { z } from 'zod'

const segmentSummarySchema = z.object({
  number: z.number().int().min(1),
  label: z.string(),
  colorRgb: z.tuple([z.number(), z.number(), z.number()]),
  /** Segment Algorithm Name, or null. */
  algorithm: z.string().nullable(),
})

const segmentationSummarySchema = z.object({
  seriesInstanceUID: z.string(),
  sopInstanceUID: z.string(),
  label: z.string(),
  /** The series the masks lie on; null when the object does not say. */
  referencedSeriesInstanceUID: z.string().nullable(),
  segments: z.array(segmentSummarySchema),
})

export const segmentationListSchema = z.object({ segmentations: z.array(segmentationSummarySchema) })

/** Head of the mask document (masks.ts). */
export const maskHeadSchema = z.object({
  rows: z.number().int().positive(),
  columns: z.number().int().positive(),
  segments: z.array(segmentSummarySchema),
  frames: z.array(
    z.object({
      segment: z.number().int(),
      /** Image the frame lies on; null when the SEG names none. */
      sopInstanceUID: z.string().nullable(),
      /** 1-based frame of that image; null for single-frame images. */
      frame: z.number().int().nullable(),
      /** Upper left voxel's centre in LPS mm; null when not known. */
      positionLps: z.tuple([z.number(), z.number(), z.number()]).nullable(),
    }),
  ),
})

export type SegmentSummary = z.infer<typeof segmentSummarySchema>
export type SegmentationSummary = z.infer<typeof segmentationSummarySchema>
export type MaskHead = z.infer<typeof maskHeadSchema>
