import { chmod, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type DestinationStream, pino } from 'pino'
import { redact } from './redact.ts'

type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Ids, counts, codes and durations; never PHI. `message` is a constant sentence, its particulars are in `fields`. */
export interface Logger {
  debug(fields: Record<string, unknown>, message: string): void
  info(fields: Record<string, unknown>, message: string): void
  warn(fields: Record<string, unknown>, message: string): void
  error(fields: Record<string, unknown>, message: string): void
  child(fields: Record<string, unknown>): Logger
}

export interface LoggerOptions {
  level?: LogLevel
  /** Log file (created 0600); stderr when left out. */
  file?: string
  /** For tests. */
  destination?: DestinationStream
}

/** One line of JSON per entry, every field through `redact`. */
export async function createLogger(options: LoggerOptions = {}): Promise<Logger> {
  const destination = options.destination ?? (await openDestination(options.file))
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redact(fields) as Record<string, unknown>,
      },
      // `redact` has already turned errors into plain objects; pino's own serialiser must not see them first.
      serializers: { err: (error: unknown) => error },
    },
    destination,
  )
  return wrap(logger)
}

type PinoLogger = Pick<ReturnType<typeof pino>, 'debug' | 'info' | 'warn' | 'error' | 'child'>

function wrap(logger: PinoLogger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(redact(fields) as Record<string, unknown>)),
  }
}

async function openDestination(file: string | undefined): Promise<DestinationStream> {
  if (file === undefined) return pino.destination({ fd: 2, sync: true })
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const destination = pino.destination({ dest: file, mkdir: true, sync: false })
  await new Promise<void>((resolve, reject) => {
    destination.once('ready', resolve)
    destination.once('error', reject)
  })
  if (process.platform !== 'win32') await chmod(file, 0o600)
  return destination
}

/** A logger that says nothing. */
export const SILENT_LOGGER: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => SILENT_LOGGER,
}
