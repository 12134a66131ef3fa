import { Command, CommanderError } from 'commander'
import { createRunner } from './command.ts'
import { type ExitCode, Output, PROCESS_STREAMS, type Streams, usageError } from './output.ts'
import { registerDelete } from './delete.ts'
import { registerDemo } from './demo.ts'
import { registerDoctor } from './doctor.ts'
import { registerExport } from './export.ts'
import { registerImport } from './import.ts'
import { registerInfer } from './infer.ts'
import { registerModels } from './models.ts'
import { registerServe } from './serve.ts'
import { registerStart } from './start.ts'
import { registerStudies } from './studies.ts'
import { VERSION } from '../version.ts'

const COMMANDS = [
  registerStart,
  registerImport,
  registerStudies,
  registerInfer,
  registerExport,
  registerDelete,
  registerModels,
  registerServe,
  registerDoctor,
  registerDemo,
]

const EPILOGUE = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partly done, 4 locked or not allowed.
Alcove is research software, not a medical device.`

/** Runs one command line; never throws and never ends the process. */
export async function main(argv: string[], streams: Streams = PROCESS_STREAMS): Promise<ExitCode> {
  const run = createRunner(streams)
  const program = new Command('alcove')
    .description('A desktop reading room for medical images with local AI and encrypted storage.')
    .version(VERSION)
    .option('--data-dir <dir>', "where everything lives (default: ALCOVE_HOME, or the system's app-data folder)")
    .option('--json', 'one JSON document on stdout; notes and logs on stderr')
    .option('--passphrase-file <file>', 'unlocks a data folder that keeps its key by passphrase')
    .option('--verbose', 'log to stderr what happens (ids only, never patient data)')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .showSuggestionAfterError(true)
    .addHelpText('after', EPILOGUE)
  for (const register of COMMANDS) register(program, run)
  // Applied to every command, also the nested ones: nothing but this function decides how the process ends.
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({
      writeOut: (text) => streams.out(text),
      // The failure below tells it, in the form that was asked for.
      writeErr: () => {},
    })
    command.commands.forEach(quiet)
  }
  quiet(program)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return run.exitCode
  } catch (error) {
    return commanderFailure(error, argv, program, streams)
  }
}

function commanderFailure(error: unknown, argv: string[], program: Command, streams: Streams): ExitCode {
  const output = new Output(argv.includes('--json'), streams)
  if (!(error instanceof CommanderError)) return output.failure(error)
  if (error.exitCode === 0) return 0
  // "alcove" alone: the help is the answer, and still not what was meant to be run.
  if (error.code === 'commander.help') {
    streams.err(program.helpInformation())
    return 2
  }
  return output.failure(usageError(sentence(error.message)))
}

function sentence(message: string): string {
  const text = message.replace(/^error: /, '').replaceAll('\n', ' ')
  const capital = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.?!)]$/.test(capital) ? capital : `${capital}.`
}
