import { z } from 'zod'

/**
 * What a stored value of a series means: `value = stored · slope + intercept` in `unit`. For PET the slope already
 * holds the SUV factor. Slices may differ (PET often has one Rescale Slope per slice), hence one row per instance.
 */
export const calibrationSchema = z.object({
  unit: z.enum(['SUVbw', 'HU', 'stored']),
  /** SUVbw per Bq/ml (or per the series' own unit); null when the unit is not SUVbw. */
  suvFactor: z.number().nullable(),
  /** Why the unit is what it is, one sentence for a person. */
  reason: z.string(),
  instances: z.array(z.object({ sopInstanceUID: z.string(), slope: z.number(), intercept: z.number() })),
})

export type Calibration = z.infer<typeof calibrationSchema>
