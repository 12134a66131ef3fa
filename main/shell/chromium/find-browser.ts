import { constants } from 'node:fs'
import { access, realpath } from 'node:fs/promises'
import { posix, win32 } from 'node:path'

export interface FoundBrowser {
  path: string
  /** "Chromium", "Google Chrome", "Microsoft Edge", … */
  name: string
  /** A snap sees neither /tmp nor hidden folders: its profile has to lie in its own folder. */
  snap: boolean
}

export interface FindBrowserInput {
  platform?: NodeJS.Platform
  env?: Record<string, string | undefined>
  /** Can this file be started? Injected by tests. */
  isExecutable?: (path: string) => Promise<boolean>
  resolveLinks?: (path: string) => Promise<string>
}

interface Candidate {
  name: string
  path: string
}

const LINUX_COMMANDS: [string, string][] = [
  ['Chromium', 'chromium'],
  ['Chromium', 'chromium-browser'],
  ['Google Chrome', 'google-chrome-stable'],
  ['Google Chrome', 'google-chrome'],
  ['Microsoft Edge', 'microsoft-edge-stable'],
  ['Microsoft Edge', 'microsoft-edge'],
  ['Brave', 'brave-browser'],
]
const LINUX_FOLDERS = ['/usr/bin', '/usr/local/bin', '/opt/google/chrome', '/opt/microsoft/msedge', '/snap/bin']
const MAC_APPS: [string, string][] = [
  ['Google Chrome', 'Google Chrome.app/Contents/MacOS/Google Chrome'],
  ['Chromium', 'Chromium.app/Contents/MacOS/Chromium'],
  ['Microsoft Edge', 'Microsoft Edge.app/Contents/MacOS/Microsoft Edge'],
  ['Brave', 'Brave Browser.app/Contents/MacOS/Brave Browser'],
]
const WINDOWS_PROGRAMS: [string, string][] = [
  ['Google Chrome', 'Google\\Chrome\\Application\\chrome.exe'],
  ['Chromium', 'Chromium\\Application\\chrome.exe'],
  ['Microsoft Edge', 'Microsoft\\Edge\\Application\\msedge.exe'],
  ['Brave', 'BraveSoftware\\Brave-Browser\\Application\\brave.exe'],
]

/**
 * The first installed browser of the Chromium family: `ALCOVE_BROWSER` (a path) before all others, then the PATH and
 * the places each system installs to. Null when there is none.
 */
export async function findBrowser(input: FindBrowserInput = {}): Promise<FoundBrowser | null> {
  const isExecutable = input.isExecutable ?? canExecute
  const resolveLinks = input.resolveLinks ?? realpath
  for (const candidate of browserCandidates(input.platform ?? process.platform, input.env ?? process.env)) {
    if (!(await isExecutable(candidate.path))) continue
    const real = await resolveLinks(candidate.path).catch(() => candidate.path)
    return { ...candidate, snap: candidate.path.startsWith('/snap/') || real === '/usr/bin/snap' }
  }
  return null
}

function browserCandidates(platform: NodeJS.Platform, env: Record<string, string | undefined>): Candidate[] {
  const chosen = env['ALCOVE_BROWSER']
  const first: Candidate[] = chosen === undefined || chosen === '' ? [] : [{ name: 'ALCOVE_BROWSER', path: chosen }]
  if (platform === 'win32') {
    const roots = [env['PROGRAMFILES'], env['PROGRAMFILES(X86)'], env['LOCALAPPDATA']].filter(
      (root) => root !== undefined,
    )
    return [
      ...first,
      ...WINDOWS_PROGRAMS.flatMap(([name, path]) => roots.map((root) => ({ name, path: win32.join(root, path) }))),
    ]
  }
  if (platform === 'darwin') {
    const roots = ['/Applications', ...(env['HOME'] === undefined ? [] : [posix.join(env['HOME'], 'Applications')])]
    return [
      ...first,
      ...MAC_APPS.flatMap(([name, path]) => roots.map((root) => ({ name, path: posix.join(root, path) }))),
    ]
  }
  // Empty and relative PATH entries mean the current folder, which may hold anything.
  const onPath = (env['PATH'] ?? '').split(':').filter((folder) => posix.isAbsolute(folder))
  const folders = [...new Set([...onPath, ...LINUX_FOLDERS])]
  return [
    ...first,
    ...LINUX_COMMANDS.flatMap(([name, command]) =>
      folders.map((folder) => ({ name, path: posix.join(folder, command) })),
    ),
  ]
}

async function canExecute(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
