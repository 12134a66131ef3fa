import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** What the tests need of Debian, each with its reason. */
export const DEBIAN_PACKAGES: Readonly<Record<string, string>> = {
  chromium: 'the window under test',
  xvfb: 'a display for it',
  xauth: 'xvfb-run',
  'fonts-dejavu-core': 'text in the window',
  libegl1: 'WebGL without a GPU',
  'libgl1-mesa-dri': 'WebGL without a GPU',
  libvulkan1: 'the WebGPU provider of onnxruntime without a GPU',
  dbus: 'the session bus of the keychain',
  'dbus-daemon': 'dbus-run-session',
  'gnome-keyring': 'a keychain',
  'libsecret-1-0': 'a keychain',
  dcmtk: 'pixels and data sets as another implementation reads them',
  'libgdcm-tools': 'the same, a second one',
  'python3-pydicom': 'the same, a third one',
  'python3-gdcm': 'compressed pixels for pydicom',
  'python3-numpy': 'pixels for pydicom',
  'python3-pil': 'HTJ2K by another implementation',
  'python3-nibabel': 'NIfTI as another implementation reads it',
  dicom3tools: 'dciodvfy, the validator of written objects',
}

const APT_TRIES = 3
const APT_RETRY_MS = 10_000

export interface MachineInput {
  isDebian?: boolean
  isRoot?: boolean
  installed?: (names: string[]) => Set<string>
  run?: (command: string[], env: NodeJS.ProcessEnv) => boolean
  say: (line: string) => void
}

/**
 * Makes sure of the packages: true when they are all there now. As root on Debian the missing ones are installed;
 * otherwise the one line that does it is printed and the answer is false. Elsewhere than on Debian and its
 * children nothing is checked: the tests that miss a tool are skipped by name.
 */
export function ensureDebianPackages(input: MachineInput): boolean {
  if (!(input.isDebian ?? existsSync('/etc/debian_version'))) {
    input.say('This is not Debian: tests whose tools are not installed will be skipped, each by name.')
    return true
  }
  const names = Object.keys(DEBIAN_PACKAGES)
  const installed = input.installed ?? installedPackages
  const missing = names.filter((name) => !installed(names).has(name))
  if (missing.length === 0) return true
  if (!(input.isRoot ?? process.getuid?.() === 0)) {
    input.say(`The tests need ${missing.length} more Debian packages. Please run:\n\n  ${aptLine(missing)}\n`)
    return false
  }
  input.say(`Installing ${missing.length} Debian packages: ${missing.join(' ')}`)
  const run = input.run ?? runCommand
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = ['-y', '-q', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=120']
  for (let attempt = 1; attempt <= APT_TRIES; attempt++) {
    const done =
      run(['apt-get', ...options, 'update'], env) &&
      run(['apt-get', ...options, '--no-install-recommends', 'install', ...missing], env)
    if (done) break
    if (attempt < APT_TRIES) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, APT_RETRY_MS)
  }
  const still = names.filter((name) => !installed(names).has(name))
  if (still.length === 0) return true
  input.say(`These could not be installed: ${still.join(' ')}. Please run:\n\n  ${aptLine(still)}\n`)
  return false
}

function aptLine(names: string[]): string {
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(' ')}`
}

function installedPackages(names: string[]): Set<string> {
  const format = '${Package} ${db:Status-Abbrev}\n'
  const { stdout } = spawnSync('dpkg-query', ['-W', `-f=${format}`, ...names], { encoding: 'utf8' })
  const lines = (stdout ?? '').split('\n').filter((line) => line.trimEnd().endsWith(' ii'))
  return new Set(lines.map((line) => line.split(' ')[0]!))
}

function runCommand(command: string[], env: NodeJS.ProcessEnv): boolean {
  const [program, ...args] = command
  return spawnSync(program!, args, { env, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
}
