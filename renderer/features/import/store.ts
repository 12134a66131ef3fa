import { create } from 'zustand'
import { type ImportResult, importResultSchema } from '#common/contract/studies.ts'
import type { Task } from '#common/contract/tasks.ts'
import { toAlcoveError } from '#common/errors.ts'
import { api } from '../../app/api.ts'
import { onAppEvent } from '../../app/events.ts'

export interface ImportView {
  task: Task
  /** Bytes and files this window is still sending; null when the workstation reads the files itself. */
  upload: { files: number; sent: number } | null
  result: ImportResult | null
}

interface ImportState {
  current: ImportView | null
  trouble: { code: string; message: string } | null
  /** Upload of this window, to be stopped with the task. */
  abort: AbortController | null
}

export const useImport = create<ImportState>()(() => ({ current: null, trouble: null, abort: null }))

export function importFailed(error: unknown): void {
  const known = toAlcoveError(error)
  useImport.setState({ trouble: { code: known.code, message: known.message } })
}

export function takeTask(task: Task): void {
  if (task.kind !== 'import') return
  const { current } = useImport.getState()
  if (current !== null && current.task.id !== task.id && current.task.state === 'running') return
  // The answer to a request may arrive after the event that tells of the end.
  if (current !== null && current.task.id === task.id && current.task.state !== 'running' && task.state === 'running')
    return
  const parsed = task.state === 'running' ? null : importResultSchema.safeParse(task.result)
  useImport.setState({
    trouble: null,
    current: {
      task,
      upload: current?.task.id === task.id ? current.upload : null,
      result: parsed?.success ? parsed.data : null,
    },
  })
}

/** Shows imports whoever started them: this window, another one or the command line. */
export function followImports(): () => void {
  return onAppEvent((event) => {
    if (event.type === 'task') takeTask(event.task)
  })
}

export async function cancelImport(): Promise<void> {
  const { current, abort } = useImport.getState()
  abort?.abort()
  if (current === null || current.task.state !== 'running') return
  try {
    takeTask(await api.cancelTask({ params: { task: current.task.id } }))
  } catch (error) {
    importFailed(error)
  }
}

export function dismissImport(): void {
  useImport.setState({ current: null, trouble: null })
}
