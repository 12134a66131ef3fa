import { createHash } from 'node:crypto'
import { isAlcoveError } from '#common/errors.ts'

const REDACTED = '[redacted]'
const MAX_DEPTH = 6
const MAX_ITEMS = 100

/** Keys whose values are PHI, secrets, or may hold either (paths of imported files carry patients' names). */
const SENSITIVE_KEYS = new Set(
  `patientName patientId patientBirthDate patientSex patient name accessionNumber referringPhysician institution
  description studyDate studyTime dataset search match path paths file filename url query body headers argv
  key seed secret password passphrase token cookie authorization`
    .toLowerCase()
    .split(/\s+/),
)

/** A DICOM JSON key; all of them are hidden, since any may carry PHI. */
const DICOM_TAG = /^[0-9A-F]{8}$/

/** A stable, meaningless name for a path, so that two lines about one file can be matched: "path:1f3a…". */
export function pathRef(path: string): string {
  return `path:${createHash('sha256').update(path).digest('hex').slice(0, 12)}`
}

/** Code and stack without the message, unless the message is an AlcoveError's, which is PHI-free by contract. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const known = isAlcoveError(error)
  const code = 'code' in error ? error.code : undefined
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(known ? { message: error.message } : {}),
    stack: frames.slice(0, 12).join('\n'),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  }
}

/** A copy of `value` fit for a log: no PHI, no secrets, no bytes, bounded in depth and length. */
export function redact(value: unknown, depth = 0): unknown {
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? undefined : value
  if (depth > MAX_DEPTH) return '[deep]'
  if (value instanceof Error) return redactError(value, depth)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1))
  const entries = Object.entries(value)
    .slice(0, MAX_ITEMS)
    .map(([key, item]) =>
      SENSITIVE_KEYS.has(key.toLowerCase()) || DICOM_TAG.test(key)
        ? [key, REDACTED]
        : ([key, redact(item, depth + 1)] as const),
    )
  return Object.fromEntries(entries)
}
