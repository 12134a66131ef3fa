import { ensureDebianPackages } from './debian-packages.ts'

const ready = ensureDebianPackages({ say: (line) => void process.stdout.write(`${line}\n`) })
process.exitCode = ready ? 0 : 1
