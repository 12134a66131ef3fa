/** The part of better-sqlite3's API used here. The package brings its own types, but its export map hides them. */
declare module 'better-sqlite3-multiple-ciphers' {
  export interface RunResult {
    changes: number
    lastInsertRowid: number | bigint
  }

  export interface Statement<Parameters extends unknown[], Row> {
    run(...parameters: Parameters): RunResult
    get(...parameters: Parameters): Row | undefined
    all(...parameters: Parameters): Row[]
    iterate(...parameters: Parameters): IterableIterator<Row>
    pluck(): this
  }

  export interface OpenOptions {
    readonly?: boolean
    fileMustExist?: boolean
    /** Busy timeout, ms. */
    timeout?: number
  }

  export default class Database {
    static SqliteError: new (message: string, code: string) => Error & { code: string }
    readonly inTransaction: boolean
    readonly open: boolean
    constructor(path: string, options?: OpenOptions)
    prepare<Parameters extends unknown[] = unknown[], Row = unknown>(sql: string): Statement<Parameters, Row>
    exec(sql: string): this
    key(key: Buffer): number
    pragma(source: string, options?: { simple?: boolean }): unknown
    function(name: string, options: { deterministic?: boolean }, action: (...values: never[]) => unknown): this
    close(): this
  }
}
