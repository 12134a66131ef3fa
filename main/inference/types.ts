import type { InferenceRequest, InferenceRun, InstalledModel, Provider } from '#common/contract/inference.ts'
import type { ModelManifest } from '#common/model/manifest.ts'

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

export interface InstalledPackage {
  manifest: ModelManifest
  /** Folder with model.onnx, manifest.json, card.md. */
  directory: string
  source: 'bundled' | 'installed'
  /** SHA-256 of model.onnx. */
  digest: string
}

export interface ModelRegistry {
  list(): Promise<InstalledModel[]>
  /** Highest version when `version` is null. @throws not-found, model/digest-mismatch */
  find(id: string, version: string | null): Promise<InstalledPackage>
  /** Verifies a folder or .zip package wholly, then installs it. @throws model/* */
  install(path: string): Promise<InstalledModel>
  remove(id: string, version: string): Promise<void>
  card(id: string, version: string | null): Promise<string>
}
