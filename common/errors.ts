/**
 * The one table of error codes. A code maps to one HTTP status and one exit code; the sentence a person reads is
 * written where the error is thrown, and says what to do next.
 */
export const ERROR_CODES = {
  'usage/invalid': { status: 400, exit: 2 },
  'request/invalid': { status: 400, exit: 2 },
  'request/too-large': { status: 413, exit: 1 },
  'request/unsupported-media-type': { status: 415, exit: 1 },
  'request/not-acceptable': { status: 406, exit: 1 },
  'request/method-not-allowed': { status: 405, exit: 1 },
  'auth/required': { status: 401, exit: 4 },
  'auth/forbidden': { status: 403, exit: 4 },
  'not-found': { status: 404, exit: 1 },
  'task/cancelled': { status: 409, exit: 1 },
  'task/timeout': { status: 504, exit: 1 },
  'vault/locked': { status: 423, exit: 4 },
  'vault/wrong-key': { status: 423, exit: 4 },
  'vault/key-missing': { status: 423, exit: 4 },
  'vault/keychain-unavailable': { status: 503, exit: 4 },
  'vault/corrupt': { status: 500, exit: 1 },
  'store/corrupt': { status: 500, exit: 1 },
  'store/newer-version': { status: 500, exit: 1 },
  'store/in-use': { status: 409, exit: 1 },
  'store/full': { status: 507, exit: 1 },
  'store/conflict': { status: 409, exit: 1 },
  'dicom/not-dicom': { status: 415, exit: 1 },
  'dicom/truncated': { status: 422, exit: 1 },
  'dicom/corrupt': { status: 422, exit: 1 },
  'dicom/missing-attribute': { status: 422, exit: 1 },
  'dicom/too-large': { status: 413, exit: 1 },
  'dicom/unsupported-transfer-syntax': { status: 406, exit: 1 },
  'dicom/undecodable-pixels': { status: 422, exit: 1 },
  'dicom/no-pixels': { status: 404, exit: 1 },
  'dicom/dicomdir': { status: 422, exit: 1 },
  'archive/corrupt': { status: 422, exit: 1 },
  'archive/unsafe': { status: 422, exit: 1 },
  'archive/encrypted': { status: 422, exit: 1 },
  'file/unreadable': { status: 422, exit: 1 },
  'file/empty': { status: 422, exit: 1 },
  'geometry/unsuitable': { status: 422, exit: 1 },
  'suv/not-computable': { status: 422, exit: 1 },
  'model/invalid-package': { status: 422, exit: 1 },
  'model/digest-mismatch': { status: 422, exit: 1 },
  'model/not-applicable': { status: 422, exit: 1 },
  'model/golden-case-failed': { status: 503, exit: 1 },
  'inference/provider-unavailable': { status: 503, exit: 1 },
  'inference/engine-crashed': { status: 500, exit: 1 },
  'inference/failed': { status: 500, exit: 1 },
  'shell/unavailable': { status: 503, exit: 1 },
  internal: { status: 500, exit: 1 },
} as const satisfies Record<string, { status: number; exit: 1 | 2 | 3 | 4 }>

export type ErrorCode = keyof typeof ERROR_CODES

/** Every error Alcove throws on purpose. `message` is for people and never holds PHI or secrets. */
export class AlcoveError extends Error {
  override readonly name = 'AlcoveError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

export function isAlcoveError(error: unknown): error is AlcoveError {
  return error instanceof AlcoveError
}

/** Wraps whatever was thrown; an AlcoveError passes through unchanged. */
export function toAlcoveError(error: unknown, fallback: ErrorCode = 'internal'): AlcoveError {
  if (isAlcoveError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  return new AlcoveError(fallback, message, { cause: error })
}
