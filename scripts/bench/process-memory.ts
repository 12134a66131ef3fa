import { readFile, readdir, writeFile } from 'node:fs/promises'

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

async function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0 // It has ended.
  }
}

/** Process ids of a browser's renderers: descendants of `browserPid`. */
async function renderersOf(browserPid: number): Promise<number[]> {
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
  return all.filter(({ pid, command }) => family.has(pid) && command.includes('--type=renderer')).map(({ pid }) => pid)
}

/**
 * Watches the resident memory of a browser's renderers by the kernel's own high-water mark, which costs the renderers
 * nothing while they work. Linux only.
 * @returns a function that gives the peak since now above what is resident now, bytes
 */
export async function watchRendererPeak(browserPid: number): Promise<() => Promise<number>> {
  const pids = await renderersOf(browserPid)
  // "5" sets the mark back to what is resident now (proc(5), clear_refs).
  await Promise.all(pids.map((pid) => writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => undefined)))
  const idle = await Promise.all(pids.map((pid) => statusBytes(pid, 'VmRSS')))
  return async () => {
    const peaks = await Promise.all(pids.map((pid) => statusBytes(pid, 'VmHWM')))
    return peaks.reduce((sum, peak, index) => sum + Math.max(0, peak - (idle[index] ?? 0)), 0)
  }
}
