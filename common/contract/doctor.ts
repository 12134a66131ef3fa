import { z } from 'zod'

const doctorCheckSchema = z.object({
  id: z.string(),
  title: z.string(),
  state: z.enum(['ok', 'warning', 'failed']),
  /** What was found, one sentence. */
  detail: z.string(),
  /** What to do about it; null when nothing needs doing. */
  next: z.string().nullable(),
})

export const doctorReportSchema = z.object({
  /** False when any check failed; warnings do not fail a workstation. */
  healthy: z.boolean(),
  checks: z.array(doctorCheckSchema),
})

export type DoctorCheck = z.infer<typeof doctorCheckSchema>
export type DoctorReport = z.infer<typeof doctorReportSchema>
