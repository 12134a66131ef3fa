import { createApi } from '../api/index.ts'

export const reachesTheDoor = createApi
