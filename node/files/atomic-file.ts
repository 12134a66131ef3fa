import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Makes new and removed names in a folder durable. Windows cannot open folders and needs no such step. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes a durable file beside `path`, lets `publish` give it its name, and leaves nothing else behind. */
async function throughTemporary(
  path: string,
  content: string | Uint8Array,
  mode: number,
  publish: (temporary: string) => Promise<void>,
): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${randomBytes(8).toString('hex')}.tmp`)
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await publish(temporary)
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined)
  }
  await syncFolder(folder)
}

/**
 * Creates a file that is there wholly or not at all, whatever moment the power goes, readable by its owner alone.
 * A file that exists already stays as it is: a link refuses to replace where a rename would not, so two processes that
 * start at once cannot both create an identity.
 * @throws EEXIST
 */
export async function createFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  await throughTemporary(path, content, 0o600, (temporary) => link(temporary, path))
}

/**
 * Replaces a file so that at any moment either the old or the new content is whole, also after a power cut. Its folder
 * is made when missing.
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await throughTemporary(path, content, mode, (temporary) => rename(temporary, path))
}
