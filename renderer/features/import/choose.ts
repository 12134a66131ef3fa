import { bridge } from '../../app/bridge.ts'
import { importFailed } from './store.ts'
import { filesOfList, uploadFiles } from './upload.ts'

/** File ▸ Import: the native dialog in Electron, a file input in a browser. */
export async function chooseAndImport(kind: 'files' | 'folder'): Promise<void> {
  const native = bridge()
  if (native !== null) {
    await native.importDialog(kind).catch(importFailed)
    return
  }
  const input = document.createElement('input')
  input.type = 'file'
  input.multiple = true
  input.hidden = true
  input.dataset['testid'] = `input-${kind}`
  if (kind === 'folder') input.webkitdirectory = true
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])]
    input.remove()
    if (files.length > 0) void uploadFiles(filesOfList(files))
  })
  input.addEventListener('cancel', () => input.remove())
  document.body.append(input)
  input.click()
}
