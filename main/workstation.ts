import type { AppEvent, Task } from '#common/contract/tasks.ts'
import type { Settings } from '#common/contract/settings.ts'
import type { InferenceService, ModelRegistry } from './inference/types.ts'
import type { Importer, WritableStudies } from './studies/types.ts'
import type { Vault } from './vault/types.ts'

interface TaskContext {
  signal: AbortSignal
  report: (progress: Task['progress']) => void
}

/** Long-running work with progress and cancel; every change is an event. */
export interface Tasks {
  start<Result>(
    kind: Task['kind'],
    work: (context: TaskContext) => Promise<Result>,
  ): { task: Task; result: Promise<Result> }
  list(): Task[]
  get(id: string): Task | null
  /** false when there is no such running task */
  cancel(id: string): boolean
}

export interface EventBus {
  publish(event: AppEvent): void
  /** Returns the unsubscribe function. */
  subscribe(listener: (event: AppEvent) => void): () => void
}

interface SettingsStore {
  get(): Settings
  update(change: Partial<Settings>): Promise<Settings>
}

/** The services one data folder gives, wired together: what `api` and `cli` stand on. */
export interface Workstation {
  readonly dataDir: string
  readonly version: string
  readonly vault: Vault
  readonly studies: WritableStudies
  readonly importer: Importer
  readonly models: ModelRegistry
  readonly inference: InferenceService
  readonly tasks: Tasks
  readonly events: EventBus
  readonly settings: SettingsStore
  /** Starts the storage threads ahead of their first use; for a window or a server, which stays. */
  warm(): void
  close(): Promise<void>
}
