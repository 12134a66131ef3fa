import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { AlcoveError } from '#common/errors.ts'
import { writeFileAtomic } from '../files/atomic-file.ts'

export interface JsonStore<Value> {
  get(): Value
  /** Merges the change, checks the whole, writes it and returns it. Changes are written one after the other. */
  update(change: Partial<Value>): Promise<Value>
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
