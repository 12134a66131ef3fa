import { createApi } from '../api/create-api.ts'
import { startApp } from '../shell/start.ts'
import type { ShellName } from '../shell/types.ts'
import { diagnose } from '../workstation-doctor.ts'
import { studyArgument } from './arguments.ts'
import type { Register } from './command.ts'
import { usageError } from './output.ts'
import { existingRenderer } from './renderer-folder.ts'

const SHELLS: readonly ShellName[] = ['electron', 'chromium', 'headless']

export const registerStart: Register = (program, run) => {
  program
    .command('start')
    .description('open the workstation: Electron, else a browser window, else a printed link')
    .option('--shell <name>', `one of ${SHELLS.join(', ')}`)
    .option('--open <study>', 'study to show first')
    .option('--port <n>', 'port of the browser window and the headless server; 0 lets the system choose', '0')
    .action(
      run<{ shell?: string; open?: string; port: string }>(async (context, _, options) => {
        const { output, dataDir, passphraseFile, logger, signal } = context
        const requested = SHELLS.find((name) => name === options.shell) ?? null
        if (options.shell !== undefined && requested === null)
          throw usageError(`--shell is one of ${SHELLS.join(', ')}.`)
        const port = Number(options.port)
        if (!Number.isInteger(port) || port < 0 || port > 65_535) throw usageError('--port takes 0 to 65535.')
        if (options.json === true)
          throw usageError('"alcove start" opens a window; use "alcove serve --json" in scripts.')
        const code = await startApp({
          requested,
          dataDir,
          passphraseFile,
          port,
          openStudy: options.open === undefined ? null : studyArgument(options.open),
          signal,
          say: (line) => output.note(line),
          async openHandler(shell) {
            const workstation = await context.open({ create: true })
            workstation.warm()
            return createApi(workstation, {
              shell,
              rendererDir: await existingRenderer(),
              logger,
              doctor: () => diagnose({ dataDir, workstation }),
            })
          },
        })
        return code === 0 ? 0 : 1
      }),
    )
}
