import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { AlcoveError } from '#common/errors.ts'

export interface JsonStore<Value> {
  get(): Value
  /** Merges the change, checks the whole, writes it and returns it. Changes are written one after the other. */
  update(change: Partial<Value>): Promise<Value>
}

/** Replaces a file so that at any moment either the old or the new content is whole, also after a power cut. */
export async function writeFileAtomic(file: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  if (process.platform !== 'win32') {
    const folder = await open(dirname(file), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new AlcoveError('store/corrupt', 'settings.json cannot be read; check its permissions.', { cause: error })
  }
}

/**
 * A small JSON document on disk. A missing file is the schema's defaults; a file that does not parse is an error and
 * is left as it is: silently resetting it would lose what somebody set.
 * @throws store/corrupt
 */
export async function openJsonStore<Schema extends z.ZodObject>(
  file: string,
  schema: Schema,
): Promise<JsonStore<z.output<Schema>>> {
  const text = await readOrNull(file)
  let value = parse(text, file, schema)
  let last: Promise<unknown> = Promise.resolve()
  return {
    get: () => value,
    update(change) {
      const next = last.then(async () => {
        const merged = schema.safeParse({ ...value, ...change })
        if (!merged.success) {
          throw new AlcoveError('request/invalid', `These settings are not valid: ${z.prettifyError(merged.error)}`)
        }
        await writeFileAtomic(file, JSON.stringify(merged.data, null, 2) + '\n')
        value = merged.data
        return value
      })
      last = next.catch(() => {})
      return next
    },
  }
}

function parse<Schema extends z.ZodObject>(text: string | null, file: string, schema: Schema): z.output<Schema> {
  let document: unknown = {}
  try {
    if (text !== null) document = JSON.parse(text)
  } catch (error) {
    throw new AlcoveError('store/corrupt', `${file} is not JSON. Repair it, or delete it to get the defaults.`, {
      cause: error,
    })
  }
  const parsed = schema.safeParse(document)
  if (!parsed.success) {
    throw new AlcoveError(
      'store/corrupt',
      `${file} is not valid: ${z.prettifyError(parsed.error)}. Repair it, or delete it to get the defaults.`,
    )
  }
  return parsed.data
}
