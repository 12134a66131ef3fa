import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** As in Electron's binary: @electron/fuses finds the wire by it. */
const FUSE_SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
const FUSE_VERSION = 1
/** Electron's own defaults at delivery: 0x30 off, 0x31 on, one per fuse of this version. */
const FUSE_WIRE = '101100011'

/**
 * A folder that electron-builder takes for Electron's Linux runtime where the real one cannot be had. It starts
 * nothing; everything else of the package (files, archive, fuses) is made and can be checked as with the real one.
 */
export async function makeStandInRuntime(folder: string, version: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(join(folder, 'resources'), { recursive: true })
  await mkdir(join(folder, 'locales'), { recursive: true })
  const wire = Buffer.concat([
    Buffer.from(FUSE_SENTINEL),
    Buffer.from([FUSE_VERSION, FUSE_WIRE.length]),
    Buffer.from(FUSE_WIRE),
  ])
  const program =
    '#!/bin/sh\necho "This is a stand-in for the Electron runtime; see docs/packaging.md." >&2\nexit 127\n'
  await writeFile(join(folder, 'electron'), Buffer.concat([Buffer.from(program), wire]), { mode: 0o755 })
  await writeFile(join(folder, 'version'), version)
  await writeFile(join(folder, 'LICENSE'), '')
  for (const locale of ['en-US', 'de', 'fr']) await writeFile(join(folder, 'locales', `${locale}.pak`), '')
}
