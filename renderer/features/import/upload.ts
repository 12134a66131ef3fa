import { api } from '../../app/api.ts'
import { importFailed, takeTask, useImport } from './store.ts'

export interface NamedFile {
  /** Path below what was dropped; a rejection calls the file by it. */
  name: string
  file: File
}

/** Requests at once: enough to keep disk and encryption busy, few enough to keep the window responsive. */
const PARALLEL_UPLOADS = 4

/**
 * Sends files to the workstation as they are found. `files` may still be searching a dropped folder while the first
 * ones are being stored.
 */
export async function uploadFiles(files: AsyncIterable<NamedFile>): Promise<void> {
  const abort = new AbortController()
  useImport.setState({ abort, trouble: null })
  try {
    const { id, task } = await api.startUpload({ body: { files: null }, signal: abort.signal })
    takeTask(task)
    const iterator = files[Symbol.asyncIterator]()
    let found = 0
    let sent = 0
    const show = (): void =>
      useImport.setState((state) =>
        state.current?.task.id === task.id ? { current: { ...state.current, upload: { files: found, sent } } } : state,
      )
    const lane = async (): Promise<void> => {
      for (;;) {
        const next = await iterator.next()
        if (next.done === true || abort.signal.aborted) return
        found++
        show()
        await api.uploadFile({
          params: { upload: id },
          query: { name: next.value.name },
          body: next.value.file,
          signal: abort.signal,
        })
        sent++
        show()
      }
    }
    await Promise.all(Array.from({ length: PARALLEL_UPLOADS }, lane))
    if (abort.signal.aborted) return
    takeTask(await api.finishUpload({ params: { upload: id } }))
  } catch (error) {
    if (!abort.signal.aborted) importFailed(error)
  }
}

/** Every file of dropped entries, folders walked to their depth (webkitGetAsEntry). */
export async function* filesOfEntries(entries: FileSystemEntry[]): AsyncGenerator<NamedFile> {
  for (const entry of entries) {
    if (entry.isFile) {
      const file = await new Promise<File | null>((resolve) =>
        (entry as FileSystemFileEntry).file(resolve, () => resolve(null)),
      )
      if (file !== null) yield { name: entry.fullPath.replace(/^\//, ''), file }
      continue
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader()
    for (;;) {
      // A reader gives at most a hundred entries at a time, until it gives none.
      const batch = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])))
      if (batch.length === 0) break
      yield* filesOfEntries(batch)
    }
  }
}

export async function* filesOfList(list: Iterable<File>): AsyncGenerator<NamedFile> {
  for (const file of list) {
    await Promise.resolve()
    yield { name: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath, file }
  }
}
