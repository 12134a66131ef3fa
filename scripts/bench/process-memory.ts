import { readFile, readdir } from 'node:fs/promises'

interface ProcessEntry {
  pid: number
  parent: number
  command: string
}

async function processes(): Promise<ProcessEntry[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const entries = await Promise.all(
    pids.map(async (pid) => {
      try {
        const status = await readFile(`/proc/${pid}/status`, 'utf8')
        const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
        return { pid: Number(pid), parent: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0), command }
      } catch {
        return null // It ended while we looked.
      }
    }),
  )
  return entries.filter((entry): entry is ProcessEntry => entry !== null)
}

/** Proportional set size of one process, bytes; 0 when it has ended. */
async function pssBytes(pid: number): Promise<number> {
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

/** Proportional set size of a browser's renderer processes (descendants of `browserPid`), bytes. Linux only. */
export async function rendererBytes(browserPid: number): Promise<number> {
  const all = await processes()
  const family = new Set([browserPid])
  for (let grown = true; grown;) {
    grown = false
    for (const { pid, parent } of all)
      if (family.has(parent) && !family.has(pid)) {
        family.add(pid)
        grown = true
      }
  }
  const renderers = all.filter(({ pid, command }) => family.has(pid) && command.includes('--type=renderer'))
  const sizes = await Promise.all(renderers.map(({ pid }) => pssBytes(pid)))
  return sizes.reduce((sum, size) => sum + size, 0)
}
