import { z } from 'zod'
import { providerSchema } from './inference.ts'

export const settingsSchema = z.object({
  cipher: z.enum(['aegis-256', 'sqlcipher']).default('aegis-256'),
  /** Providers in the order tried; null lets the platform decide. */
  providerOrder: z.array(providerSchema).nullable().default(null),
  /** Rendering of 2-D views: `auto` decides from the GL renderer. */
  renderBackend: z.enum(['auto', 'cpu', 'gpu']).default('auto'),
})

/** What the window needs to know at start. */
export const appInfoSchema = z.object({
  name: z.literal('Alcove'),
  version: z.string(),
  shell: z.enum(['electron', 'chromium', 'headless']),
  platform: z.string(),
  vault: z.object({ state: z.enum(['unlocked', 'locked']), provider: z.string() }),
  dataDir: z.string(),
  notice: z.string(),
})

export type Settings = z.infer<typeof settingsSchema>
export type AppInfo = z.infer<typeof appInfoSchema>
