import { z } from 'zod'

/** A long-running piece of work: an import, an inference run, an export. */
export const taskSchema = z.object({
  id: z.string(),
  kind: z.enum(['import', 'inference', 'export']),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  /** Units done and in all (`total` null while unknown): files for an import, steps or tiles for inference. */
  progress: z.object({ done: z.number(), total: z.number().nullable(), note: z.string() }),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** ImportResult or InferenceRun once done, by kind. */
  result: z.unknown(),
})

/** One server-sent event of GET /api/v1/events: `event:` is `type`, `data:` this document. */
export const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('task'), task: taskSchema }),
  z.object({ type: z.literal('studies-changed'), studyInstanceUIDs: z.array(z.string()) }),
  z.object({ type: z.literal('findings-changed'), studyInstanceUID: z.string() }),
  z.object({ type: z.literal('open-study'), studyInstanceUID: z.string() }),
])

export type Task = z.infer<typeof taskSchema>
export type AppEvent = z.infer<typeof eventSchema>
