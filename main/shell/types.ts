export type ShellName = 'electron' | 'chromium' | 'headless'

/** The one handler behind all doors (Electron protocol, loopback server, tests). */
export type FetchHandler = (request: Request) => Promise<Response>

/** Everything that differs between Electron, a Chromium app window and a headless server. */
export interface Shell {
  readonly name: ShellName
  /** Why this shell and not another, one sentence for the person who started it. */
  readonly reason: string
  /** Opens the window (or prints the link) on the page `path` of `handler`, e.g. "/" or "/#/study/1.2.3". */
  open(handler: FetchHandler, path: string): Promise<ShellSession>
}

export interface ShellSession {
  /** The address a person could open, with no secret in it; null for Electron's own scheme. */
  readonly url: string | null
  /** Resolves when the window has been closed or the server told to stop. */
  readonly closed: Promise<void>
  close(): Promise<void>
}
