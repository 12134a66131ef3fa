import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

interface Locked {
  version?: string
  gypfile?: boolean
  optionalDependencies?: Record<string, string>
}
const file = join(import.meta.dirname, '..', 'package-lock.json')
const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Locked> }

/** As Node resolves: the nearest node_modules upwards. */
function resolveLocked(from: string, name: string): Locked | undefined {
  for (
    let folder = from;
    ;
    folder = folder.includes('/node_modules/') ? folder.replace(/\/node_modules\/(?:@[^/]+\/)?[^/]+$/, '') : ''
  ) {
    const found = packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]
    if (found !== undefined || folder === '') return found
  }
}

describe('package-lock.json', () => {
  // npm drops binaries of other platforms when it updates a lock beside an installed node_modules, or when a registry
  // mirror does not carry them; `npm ci` then refuses the lock, here and on those platforms.
  it('knows every binary package of every platform', () => {
    const missing = Object.entries(packages).flatMap(([from, { optionalDependencies = {} }]) =>
      Object.entries(optionalDependencies)
        .filter(([name, version]) => {
          const locked = resolveLocked(from, name)
          return locked === undefined || (/^\d/.test(version) && locked.version !== version)
        })
        .map(([name, version]) => `${name}@${version} of ${from}`),
    )
    expect(missing).toEqual([])
  })

  // npm 10 reads the lock and not the package's own `gypfile: false`, and would run node-gyp: a fresh machine has
  // neither Python nor make, and the binary is in the package.
  it('keeps npm from compiling what is compiled', () => {
    expect(packages['node_modules/better-sqlite3-multiple-ciphers']).toMatchObject({ gypfile: false })
  })
})
