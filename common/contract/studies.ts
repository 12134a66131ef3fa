import { z } from 'zod'

const uid = z
  .string()
  .regex(/^[0-9]+(?:\.[0-9]+)*$/)
  .max(64)

const seriesSummarySchema = z.object({
  seriesInstanceUID: uid,
  modality: z.string(),
  seriesNumber: z.number().nullable(),
  description: z.string().nullable(),
  bodyPart: z.string().nullable(),
  instances: z.number().int(),
  /** Frames that carry pixels, over all instances. */
  frames: z.number().int(),
  bytes: z.number(),
})

/** Patient attributes are PHI: they go to the person's own window only, never to a log. */
const studySummarySchema = z.object({
  studyInstanceUID: uid,
  patientName: z.string().nullable(),
  patientId: z.string().nullable(),
  patientBirthDate: z.string().nullable(),
  patientSex: z.string().nullable(),
  /** YYYYMMDD, as in the data set. */
  studyDate: z.string().nullable(),
  studyTime: z.string().nullable(),
  accessionNumber: z.string().nullable(),
  description: z.string().nullable(),
  referringPhysician: z.string().nullable(),
  institution: z.string().nullable(),
  modalities: z.array(z.string()),
  series: z.number().int(),
  instances: z.number().int(),
  bytes: z.number(),
  /** ISO 8601, when the first of its instances was acknowledged. */
  receivedAt: z.string(),
})

export const studyDetailSchema = studySummarySchema.extend({ seriesList: z.array(seriesSummarySchema) })

export const studyListSchema = z.object({ studies: z.array(studySummarySchema), total: z.number().int() })

const importRejectionSchema = z.object({ path: z.string(), code: z.string(), message: z.string() })

export const importResultSchema = z.object({
  studies: z.array(z.object({ studyInstanceUID: uid, instances: z.number().int(), bytes: z.number() })),
  imported: z.number().int(),
  duplicates: z.number().int(),
  rejected: z.array(importRejectionSchema),
  seconds: z.number(),
})

export type SeriesSummary = z.infer<typeof seriesSummarySchema>
export type StudySummary = z.infer<typeof studySummarySchema>
export type StudyDetail = z.infer<typeof studyDetailSchema>
export type ImportRejection = z.infer<typeof importRejectionSchema>
export type ImportResult = z.infer<typeof importResultSchema>
