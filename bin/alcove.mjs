#!/usr/bin/env node
// Starts Alcove on any Node that can read this file. Old Nodes (below 22.12) crash the SQLite driver and cannot read
// TypeScript, so the command is run again by the Node that npm installed with the project.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [major, minor] = process.versions.node.split('.').map(Number)
const recent = major > 22 || (major === 22 && minor >= 12)
const source = join(root, 'main', 'cli', 'alcove.ts')
const bundle = join(root, 'dist', 'main', 'alcove.js')
const fromSource = existsSync(source)
// Type stripping needs no flag from 22.18 and 23.6 on; the bundle needs none at all.
const readsTypes = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)

if (recent && (readsTypes || !fromSource)) {
  nodeModule.enableCompileCache?.()
  await import(pathToFileURL(fromSource ? source : bundle).href)
} else {
  runByOwnNode()
}

function ownNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  for (let folder = root; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', 'node', 'bin', name)
    if (existsSync(candidate)) return candidate
    if (dirname(folder) === folder) return null
  }
}

function runByOwnNode() {
  const node = ownNode()
  if (node === null || process.env.ALCOVE_REEXECUTED === '1') {
    process.stderr.write(
      `Alcove needs Node 22.18 or newer; this is ${process.versions.node}, and the project's own Node is missing.\n` +
        'Run "npm ci" in the Alcove folder (it brings Node 24), or start Alcove with a newer Node.\n',
    )
    process.exit(1)
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, ALCOVE_REEXECUTED: '1' },
  })
  // A terminal sends Ctrl+C to both; a service manager only to this one. Either way the child decides how to end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`The project's own Node could not be started (${error.code}). Run "npm ci" again.\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal])
  })
}
