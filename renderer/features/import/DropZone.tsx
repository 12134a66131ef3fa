import { FolderDown } from 'lucide-react'
import { useEffect, useState } from 'react'
import { bridge } from '../../app/bridge.ts'
import { importFailed } from './store.ts'
import { filesOfEntries, filesOfList, uploadFiles } from './upload.ts'
import './import.css'

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true
}

function take(transfer: DataTransfer): void {
  const native = bridge()
  if (native !== null) {
    const paths = [...transfer.files].map((file) => native.pathOfFile(file)).filter((path) => path !== null)
    if (paths.length > 0) {
      void native.importPaths(paths).catch(importFailed)
      return
    }
  }
  // Entries must be taken before the event ends; only then can folders be walked.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  void uploadFiles(entries.length > 0 ? filesOfEntries(entries) : filesOfList([...transfer.files]))
}

/** Files, folders and ZIPs may be dropped anywhere on the window. */
export function DropZone() {
  const [over, setOver] = useState(false)
  useEffect(() => {
    let depth = 0
    const enter = (event: DragEvent): void => {
      if (!carriesFiles(event)) return
      event.preventDefault()
      depth++
      setOver(true)
    }
    const leave = (event: DragEvent): void => {
      if (!carriesFiles(event)) return
      depth = Math.max(0, depth - 1)
      if (depth === 0) setOver(false)
    }
    const hover = (event: DragEvent): void => {
      if (carriesFiles(event)) event.preventDefault()
    }
    const drop = (event: DragEvent): void => {
      if (!carriesFiles(event) || event.dataTransfer === null) return
      event.preventDefault()
      depth = 0
      setOver(false)
      take(event.dataTransfer)
    }
    window.addEventListener('dragenter', enter)
    window.addEventListener('dragleave', leave)
    window.addEventListener('dragover', hover)
    window.addEventListener('drop', drop)
    return () => {
      window.removeEventListener('dragenter', enter)
      window.removeEventListener('dragleave', leave)
      window.removeEventListener('dragover', hover)
      window.removeEventListener('drop', drop)
    }
  }, [])
  if (!over) return null
  return (
    <div className="drop-ground" data-testid="drop-zone">
      <div className="drop-box">
        <FolderDown size={36} strokeWidth={1.4} aria-hidden />
        <b>Drop to import</b>
        <span>Files, folders and ZIP archives</span>
      </div>
    </div>
  )
}
