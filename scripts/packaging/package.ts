import { buildPackage } from './build-package.ts'

// npm run package [-- --stand-in] [-- electron-builder's own arguments]
const args = process.argv.slice(2)
process.exitCode = await buildPackage({
  standIn: args.includes('--stand-in'),
  args: args.filter((argument) => argument !== '--stand-in'),
  say: (line) => void process.stdout.write(`${line}\n`),
})
