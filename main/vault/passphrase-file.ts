import { randomBytes } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AlcoveError } from '#common/errors.ts'
import { syncFolder } from '#node/files/atomic-file.ts'

const PASSPHRASE_FILE_BYTES = 4096

/** The first line, without its line end. @throws AlcoveError file/unreadable, usage/invalid */
export async function readPassphraseFile(path: string): Promise<string> {
  let content: Buffer
  try {
    content = await readFile(path)
  } catch (cause) {
    throw new AlcoveError('file/unreadable', `The passphrase file ${path} cannot be read.`, { cause })
  }
  const passphrase = content.subarray(0, PASSPHRASE_FILE_BYTES).toString('utf8').split(/\r?\n/, 1)[0] ?? ''
  content.fill(0)
  if (passphrase === '') throw new AlcoveError('usage/invalid', `The passphrase file ${path} is empty.`)
  return passphrase
}

/**
 * For demos and unattended machines: a random passphrase in a file only its owner can read, made when it is not there.
 * Whoever can read that file can read the studies: say so to the person.
 */
export async function ensurePassphraseFile(path: string): Promise<{ passphrase: string; created: boolean }> {
  const passphrase = randomBytes(24).toString('base64url')
  try {
    const handle = await open(path, 'wx', 0o600)
    try {
      await handle.writeFile(`${passphrase}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      return { passphrase: await readPassphraseFile(path), created: false }
    throw error
  }
  await syncFolder(dirname(path))
  return { passphrase, created: true }
}
