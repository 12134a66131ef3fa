import { z } from 'zod'

/** RFC 9457 problem details; `code` is the AlcoveError code, `detail` the sentence for a person. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
})

export type Problem = z.infer<typeof problemSchema>
