import { AlcoveError, ERROR_CODES, toAlcoveError } from '#common/errors.ts'

export type ExitCode = 0 | 1 | 2 | 3 | 4

/** Where a command writes; tests give their own. */
export interface Streams {
  out: (text: string) => void
  err: (text: string) => void
  /** Progress lines that overwrite themselves make sense only for a person at a terminal. */
  interactive: boolean
}

export const PROCESS_STREAMS: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  interactive: process.stderr.isTTY,
}

/** What to do about an error, where the sentence itself does not say it already. */
const NEXT_STEP: Partial<Record<string, string>> = {
  'vault/locked': 'Give the passphrase with --passphrase-file.',
  'vault/wrong-key': 'Check --passphrase-file and --data-dir.',
  'vault/keychain-unavailable': 'Use --passphrase-file FILE on machines without a keychain.',
  'not-found': 'See "alcove studies" and "alcove models list" for what is here.',
  'store/in-use': 'Close the other Alcove, or use another --data-dir.',
  'model/not-applicable': 'See "alcove models card ID" for what the model takes.',
  'inference/provider-unavailable': 'See "alcove doctor" for the providers that work here.',
  'usage/invalid': 'See "alcove help COMMAND".',
}

/** Prints a command's outcome: one JSON document with --json, sentences without. */
export class Output {
  readonly json: boolean
  readonly streams: Streams
  #progressShown = false

  constructor(json: boolean, streams: Streams) {
    this.json = json
    this.streams = streams
  }

  /** The result, once per command. */
  result(document: unknown, human: () => string): void {
    this.#clearProgress()
    this.streams.out(this.json ? JSON.stringify(document, null, 2) + '\n' : human() + '\n')
  }

  /** A line for the person, never for scripts. */
  note(sentence: string): void {
    this.#clearProgress()
    this.streams.err(sentence + '\n')
  }

  progress(text: string): void {
    if (!this.streams.interactive) return
    this.streams.err(`\r\x1b[2K${text.slice(0, 110)}`)
    this.#progressShown = true
  }

  #clearProgress(): void {
    if (this.#progressShown) this.streams.err('\r\x1b[2K')
    this.#progressShown = false
  }

  /** Tells an error and gives its exit code. */
  failure(thrown: unknown): ExitCode {
    this.#clearProgress()
    const error = toAlcoveError(thrown)
    const next = NEXT_STEP[error.code]
    if (this.json) {
      const document = { error: { code: error.code, message: error.message, next: next ?? null } }
      this.streams.out(JSON.stringify(document, null, 2) + '\n')
    }
    this.streams.err(`${error.message} (${error.code})\n${next === undefined ? '' : next + '\n'}`)
    return ERROR_CODES[error.code].exit
  }
}

export function usageError(sentence: string): AlcoveError {
  return new AlcoveError('usage/invalid', sentence)
}
