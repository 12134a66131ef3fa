import type { InstalledModel } from '#common/contract/inference.ts'
import type { ModelManifest } from '#common/model/manifest.ts'

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
