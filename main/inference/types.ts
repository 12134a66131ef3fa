import type { InferenceRequest, InferenceRun, Provider } from '#common/contract/inference.ts'

export type { InstalledPackage, ModelRegistry } from '../models/types.ts'

export interface InferenceProgress {
  done: number
  total: number | null
  note: string
}

export interface InferenceService {
  /**
   * Chooses the series, runs the model in its own process, stores the SEG and the run, returns the run.
   * @throws not-found, model/not-applicable, suv/not-computable, geometry/unsuitable, inference/*, task/cancelled
   */
  run(
    request: InferenceRequest,
    options?: { signal?: AbortSignal; onProgress?: (progress: InferenceProgress) => void },
  ): Promise<InferenceRun>
  /** Providers this build of the runtime holds, and whether each can start here. */
  providers(): Promise<{ provider: Provider; available: boolean; note: string }[]>
  close(): Promise<void>
}
