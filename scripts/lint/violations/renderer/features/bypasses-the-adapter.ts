import { init } from '@cornerstonejs/core'

export const bypassesTheAdapter = init
