import { isAbsolute, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { isUid } from '#common/ids.ts'

/** What a start asks for; a second start hands it to the first one. */
export const launchSchema = z.object({
  dataDir: z.string().nullable(),
  passphraseFile: z.string().nullable(),
  openStudy: z.string().nullable(),
  /** Files and folders to import. */
  paths: z.array(z.string().refine(isAbsolute)),
})

export type Launch = z.infer<typeof launchSchema>

/**
 * Reads the arguments after the program's own name(s). Switches of Chromium (`--no-sandbox`) and of macOS's Finder
 * (`-psn_…`) stand among them and are passed over.
 */
export function parseLaunch(args: string[], cwd: string): Launch {
  const { values, positionals } = parseArgs({
    args,
    options: {
      'data-dir': { type: 'string' },
      'passphrase-file': { type: 'string' },
      open: { type: 'string' },
    },
    strict: false,
    allowPositionals: true,
  })
  const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
  const dataDir = text(values['data-dir'])
  const passphraseFile = text(values['passphrase-file'])
  const study = text(values['open'])
  return {
    dataDir: dataDir === null ? null : resolve(cwd, dataDir),
    passphraseFile: passphraseFile === null ? null : resolve(cwd, passphraseFile),
    openStudy: study !== null && isUid(study) ? study : null,
    paths: positionals.map((path) => resolve(cwd, path)),
  }
}
