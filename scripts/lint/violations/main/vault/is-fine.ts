import { AlcoveError } from '#common/errors.ts'

export const isFine = AlcoveError
