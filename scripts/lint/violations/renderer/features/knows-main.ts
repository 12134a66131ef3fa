import { openWorkstation } from '#main/workstation.ts'

export const knowsMain = openWorkstation
