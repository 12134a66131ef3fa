import { createApi } from '#main/api/index.ts'

export const reachesUp = createApi
