import type { Command } from 'commander'
import { resolveDataDir } from '#node/config/data-dir.ts'
import { createLogger, type Logger } from '#node/log/logger.ts'
import { AlcoveError } from '#common/errors.ts'
import { readPassphraseFile } from '../vault/passphrase-file.ts'
import { openModelRegistry } from '../models/registry.ts'
import type { ModelRegistry } from '../inference/types.ts'
import { APP_PATHS, dataPaths } from '../app-paths.ts'
import type { Workstation } from '../workstation.ts'
import { openWorkstation } from '../workstation-open.ts'
import { type ExitCode, Output, type Streams } from './output.ts'

interface GlobalOptions {
  dataDir?: string
  json?: boolean
  passphraseFile?: string
  verbose?: boolean
}

/** What a command works with. */
export interface CommandContext {
  output: Output
  dataDir: string
  passphraseFile: string | null
  logger: Logger
  /** Aborted by Ctrl+C and SIGTERM; a second one ends the process at once. */
  signal: AbortSignal
  /** Opens the data folder, once; it is closed when the command ends. `create`: makes a new one in an empty place. */
  open: (options?: { create?: boolean }) => Promise<Workstation>
  /** The models alone: needs no key and makes no vault. */
  models: () => Promise<ModelRegistry>
}

type CommandAction<Options> = (
  context: CommandContext,
  args: string[],
  options: Options & GlobalOptions,
) => Promise<ExitCode | void>

export type Register = (program: Command, run: Runner) => void

/** Wraps an action into what commander calls: opens, reports, closes, and keeps the exit code. */
export interface Runner {
  <Options extends object>(action: CommandAction<Options>): (...given: unknown[]) => Promise<void>
  exitCode: ExitCode
}

export function createRunner(streams: Streams): Runner {
  const run = (<Options extends object>(action: CommandAction<Options>) =>
    async (...given: unknown[]): Promise<void> => {
      const command = given.at(-1) as Command
      const args = command.processedArgs.flat() as string[]
      run.exitCode = await perform(
        action,
        args.filter((value) => value !== undefined),
        command.optsWithGlobals(),
        streams,
      )
    }) as Runner
  run.exitCode = 0
  return run
}

async function perform<Options extends object>(
  action: CommandAction<Options>,
  args: string[],
  options: Options & GlobalOptions,
  streams: Streams,
): Promise<ExitCode> {
  const output = new Output(options.json === true, streams)
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(1)
    output.note('Stopping… (again to stop at once)')
    controller.abort(new AlcoveError('task/cancelled', 'Stopped. What had been stored stays stored.'))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  let workstation: Workstation | null = null
  try {
    const dataDir = resolveDataDir({ flag: options.dataDir })
    const passphraseFile = options.passphraseFile ?? null
    const logger = await createLogger({ level: options.verbose === true ? 'debug' : 'error' })
    const code = await action(
      {
        output,
        dataDir,
        passphraseFile,
        logger,
        signal: controller.signal,
        async open({ create = false } = {}) {
          if (workstation !== null) return workstation
          const opened = await openWorkstation({
            dataDir,
            logger,
            createIfMissing: create,
            ...(passphraseFile === null ? {} : { passphrase: () => readPassphraseFile(passphraseFile) }),
          })
          workstation = opened
          return opened
        },
        models: () =>
          openModelRegistry({ bundledDir: APP_PATHS.bundledModels, installedDir: dataPaths(dataDir).models }),
      },
      args,
      options,
    )
    return code ?? 0
  } catch (error) {
    return output.failure(error)
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    await (workstation as Workstation | null)?.close()
  }
}
