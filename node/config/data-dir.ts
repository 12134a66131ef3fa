import { homedir } from 'node:os'
import { posix, resolve, win32 } from 'node:path'

export interface DataDirInput {
  /** --data-dir */
  flag?: string | undefined
  env?: Record<string, string | undefined>
  platform?: NodeJS.Platform
  home?: string
}

/**
 * Where everything lives: --data-dir, else ALCOVE_HOME, else the OS's app-data folder (XDG data home, Application
 * Support, Local AppData: local, because a roaming profile would copy studies over the network).
 */
export function resolveDataDir(input: DataDirInput = {}): string {
  const env = input.env ?? process.env
  if (input.flag !== undefined && input.flag !== '') return resolve(input.flag)
  if (env['ALCOVE_HOME'] !== undefined && env['ALCOVE_HOME'] !== '') return resolve(env['ALCOVE_HOME'])
  const home = input.home ?? homedir()
  switch (input.platform ?? process.platform) {
    case 'win32':
      return win32.join(env['LOCALAPPDATA'] ?? win32.join(home, 'AppData', 'Local'), 'Alcove')
    case 'darwin':
      return posix.join(home, 'Library', 'Application Support', 'Alcove')
    default: {
      const xdg = env['XDG_DATA_HOME']
      // The XDG specification says a relative path there is to be ignored.
      const base = xdg !== undefined && posix.isAbsolute(xdg) ? xdg : posix.join(home, '.local', 'share')
      return posix.join(base, 'alcove')
    }
  }
}
