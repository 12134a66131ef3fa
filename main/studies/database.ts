import Database from 'better-sqlite3-multiple-ciphers'
import { AlcoveError } from '#common/errors.ts'
import type { ErrorCode } from '#common/errors.ts'
import type { CapsuleAccess } from './types.ts'

export type Connection = Database
export type Cipher = CapsuleAccess['cipher']

export interface OpenDatabaseOptions {
  /** 32 bytes; the caller overwrites its copy when it needs it no more. */
  key: Uint8Array
  cipher: Cipher
  pageBytes: number
  cacheBytes: number
  mode: 'read' | 'write' | 'create'
  /** How long to wait for another connection's transaction. */
  busyTimeoutMs?: number
}

const BUSY_TIMEOUT_MS = 30_000

/** "raw:" and the key in hex, made without a string that could not be overwritten. */
function rawKey(key: Uint8Array): Buffer {
  const text = Buffer.alloc(4 + 2 * key.length)
  text.write('raw:', 'latin1')
  const digit = (value: number) => (value < 10 ? 48 + value : 87 + value)
  key.forEach((byte, index) => {
    text[4 + 2 * index] = digit(byte >> 4)
    text[5 + 2 * index] = digit(byte & 15)
  })
  return text
}

/**
 * Opens an encrypted database. Everything SQLite would put into temporary files stays in memory: those are not
 * encrypted, and by default tens of megabytes of plain pixels ended up there.
 * @throws AlcoveError vault/wrong-key when the first page does not open with the key, store/* otherwise
 */
export function openDatabase(path: string, options: OpenDatabaseOptions): Connection {
  let connection: Connection | null = null
  try {
    connection = new Database(path, {
      readonly: options.mode === 'read',
      fileMustExist: options.mode !== 'create',
      timeout: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS,
    })
    connection.pragma(`cipher = '${options.cipher === 'aegis-256' ? 'aegis' : 'sqlcipher'}'`)
    if (options.cipher === 'aegis-256') connection.pragma("algorithm = 'aegis-256'")
    const text = rawKey(options.key)
    connection.key(text)
    text.fill(0)
    connection.pragma('temp_store = MEMORY')
    connection.pragma('trusted_schema = OFF')
    connection.pragma(`cache_size = -${Math.round(options.cacheBytes / 1024)}`)
    if (options.mode === 'create') connection.pragma(`page_size = ${options.pageBytes}`)
    if (options.mode !== 'read') {
      connection.pragma('synchronous = FULL')
      connection.pragma('secure_delete = ON')
      connection.pragma('foreign_keys = ON')
    }
    // The first real read: here a wrong key shows.
    connection.pragma('user_version')
    return connection
  } catch (error) {
    connection?.close()
    throw storeError(error)
  }
}

const CODES: readonly [prefix: string, code: ErrorCode, message: string][] = [
  [
    'SQLITE_NOTADB',
    'vault/wrong-key',
    'An encrypted file does not open with its key: it belongs to another data folder, or its beginning is damaged.',
  ],
  ['SQLITE_FULL', 'store/full', 'The disk is full. What was imported so far is safe; free some space and try again.'],
  ['SQLITE_IOERR_WRITE', 'store/full', 'The disk does not take any more data. What was imported so far is safe.'],
  ['SQLITE_BUSY', 'store/in-use', 'Another program holds the data folder.'],
  ['SQLITE_CANTOPEN', 'store/corrupt', 'An encrypted file of the data folder is missing or cannot be opened.'],
  ['SQLITE_CORRUPT', 'store/corrupt', 'An encrypted file of the data folder is damaged. Restore it from a backup.'],
  ['SQLITE_IOERR', 'store/corrupt', 'An encrypted file of the data folder is damaged or cannot be read.'],
]

/** What SQLite says in the words of common/errors.ts; other errors pass through. */
export function storeError(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error
  const { code } = error
  for (const [prefix, alcoveCode, message] of CODES)
    if (code.startsWith(prefix)) return new AlcoveError(alcoveCode, message, { cause: error })
  return new AlcoveError('internal', `The store refused a request (${code}).`, { cause: error })
}

/** Runs `action`, whose SQLite errors become AlcoveErrors. */
export function withStoreErrors<Result>(action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    throw storeError(error)
  }
}

/**
 * Brings a database to the last of `migrations` (SQL, one per version, never changed once released) in one transaction.
 * @throws AlcoveError store/newer-version when a newer Alcove has been here; nothing is touched then
 */
export function migrate(connection: Connection, migrations: readonly string[], what: string): void {
  const version = schemaVersion(connection)
  if (version === migrations.length) return
  assertNotNewer(version, migrations, what)
  withStoreErrors(() => {
    connection.exec('BEGIN IMMEDIATE')
    try {
      for (const sql of migrations.slice(schemaVersion(connection))) connection.exec(sql)
      connection.pragma(`user_version = ${migrations.length}`)
      connection.exec('COMMIT')
    } catch (error) {
      if (connection.inTransaction) connection.exec('ROLLBACK')
      throw error
    }
  })
}

export function assertNotNewer(version: number, migrations: readonly string[], what: string): void {
  if (version > migrations.length)
    throw new AlcoveError(
      'store/newer-version',
      `${what} was written by a newer Alcove (format ${version}, this one knows ${migrations.length}). Install that version; nothing was changed.`,
    )
}

export function schemaVersion(connection: Connection): number {
  return withStoreErrors(() => connection.pragma('user_version', { simple: true })) as number
}

/** Version of the SQLite inside, from a database in memory: tells that the native driver loads here. */
export function sqliteVersion(): string {
  const connection = new Database(':memory:')
  try {
    return (connection.prepare('SELECT sqlite_version() AS version').get() as { version: string }).version
  } finally {
    connection.close()
  }
}

const statements = new WeakMap<Connection, Map<string, unknown>>()

/** A statement prepared once for each connection: for what is asked again with every frame. Not to be plucked. */
export function prepared<Parameters extends unknown[], Row>(connection: Connection, sql: string) {
  let known = statements.get(connection)
  if (known === undefined) statements.set(connection, (known = new Map()))
  let statement = known.get(sql) as ReturnType<typeof connection.prepare<Parameters, Row>> | undefined
  if (statement === undefined) known.set(sql, (statement = connection.prepare<Parameters, Row>(sql)))
  return statement
}
