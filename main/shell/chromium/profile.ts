import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const PREFIX = 'alcove-window-'
const REMOVE_RETRIES = 10
const REMOVE_RETRY_DELAY_MS = 200

export interface Profile {
  directory: string
  /** file: address of the page that enters the server. */
  entryPage: string
  /** The entry is used up: forget it. */
  removeEntry(): Promise<void>
  remove(): Promise<void>
}

/** Where profiles may lie for this browser; see `FoundBrowser.snap`. */
export function profileParent(snap: boolean): string {
  return snap ? join(homedir(), 'snap', 'chromium', 'common') : tmpdir()
}

/**
 * A browser profile of this run alone, readable by this user alone (mkdtemp makes it 0700), with the page that enters
 * the server by a posted token: arguments of a process can be read by every user of the machine, this file cannot.
 */
export async function createProfile(parent: string, entry: { action: string; token: string }): Promise<Profile> {
  await mkdir(parent, { recursive: true })
  await removeAbandoned(parent)
  const directory = await mkdtemp(join(parent, `${PREFIX}${process.pid}-`))
  const page = join(directory, 'enter.html')
  await writeFile(page, entryPage(entry), { mode: 0o600, flag: 'wx' })
  await mkdir(join(directory, 'Default'), { mode: 0o700 })
  await writeFile(join(directory, 'Default', 'Preferences'), JSON.stringify(PREFERENCES), { mode: 0o600 })
  return {
    directory,
    entryPage: pathToFileURL(page).href,
    removeEntry: () => rm(page, { force: true }),
    // The browser's last children may still be writing for a moment.
    remove: () =>
      rm(directory, { recursive: true, force: true, maxRetries: REMOVE_RETRIES, retryDelay: REMOVE_RETRY_DELAY_MS }),
  }
}

/** What a browser would otherwise offer to remember or to look up elsewhere. */
const PREFERENCES = {
  credentials_enable_service: false,
  autofill: { profile_enabled: false, credit_card_enabled: false },
  profile: { password_manager_enabled: false },
  search: { suggest_enabled: false },
  signin: { allowed: false },
  spellcheck: { use_spelling_service: false },
  translate: { enabled: false },
  // Downloads are exports: always ask where to.
  download: { prompt_for_download: true },
}

/** Values are base64url and a loopback address: nothing to escape. */
function entryPage(entry: { action: string; token: string }): string {
  return `<!doctype html>
<html lang="en" style="background: #0b0e12">
<meta charset="utf-8">
<title>Alcove</title>
<form id="enter" method="post" action="${entry.action}"><input type="hidden" name="token" value="${entry.token}"></form>
<script>document.getElementById('enter').submit()</script>
</html>
`
}

/** Profiles whose process is gone: it was killed before it could clean up. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN
    if (!Number.isInteger(pid) || isRunning(pid)) continue
    // Another user's folder cannot be removed, and that is right.
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
