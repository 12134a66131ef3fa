import { describe, expect, it } from 'vitest'
import { DEBIAN_PACKAGES, ensureDebianPackages, type MachineInput } from './debian-packages.ts'

const ALL = Object.keys(DEBIAN_PACKAGES)

function machine(change: Partial<MachineInput> & { has: string[]; aptWorks?: boolean }) {
  const has = new Set(change.has)
  const said: string[] = []
  const ran: string[][] = []
  const result = ensureDebianPackages({
    isDebian: true,
    isRoot: true,
    installed: () => has,
    run: (command) => {
      ran.push(command)
      if (command.includes('install') && change.aptWorks !== false) for (const name of ALL) has.add(name)
      return true
    },
    say: (line) => said.push(line),
    ...change,
  })
  return { result, said: said.join('\n'), ran }
}

describe('ensureDebianPackages', () => {
  it('does nothing when all are there', () => {
    expect(machine({ has: ALL })).toEqual({ result: true, said: '', ran: [] })
  })

  it('installs exactly the missing ones as root', () => {
    const { result, ran } = machine({ has: ALL.filter((name) => name !== 'dcmtk' && name !== 'xvfb') })
    expect(result).toBe(true)
    expect(
      ran.map((command) => command.filter((word) => ['update', 'install', 'dcmtk', 'xvfb'].includes(word))),
    ).toEqual([['update'], ['install', 'xvfb', 'dcmtk']])
  })

  it('prints the one line to run for anybody else, and touches nothing', () => {
    const { result, said, ran } = machine({ has: ALL.filter((name) => name !== 'dcmtk'), isRoot: false })
    expect(result).toBe(false)
    expect(ran).toEqual([])
    expect(said).toContain('sudo apt-get update && sudo apt-get install -y --no-install-recommends dcmtk')
  })

  it('says what is still missing when apt said yes and did not do it', () => {
    const { result, said } = machine({ has: ALL.filter((name) => name !== 'dcmtk'), aptWorks: false })
    expect(result).toBe(false)
    expect(said).toContain('could not be installed: dcmtk')
  })

  it('asks nothing of other systems', () => {
    expect(machine({ has: [], isDebian: false })).toMatchObject({ result: true, ran: [] })
  })
})
