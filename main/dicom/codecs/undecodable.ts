import { AlcoveError } from '#common/errors.ts'

/** The one error every codec throws: what was found in the frame, for a person; never pixel values or names. */
export function undecodable(message: string, cause?: unknown): AlcoveError {
  return new AlcoveError(
    'dicom/undecodable-pixels',
    `The image cannot be decoded: ${message}`,
    cause === undefined ? undefined : { cause },
  )
}
