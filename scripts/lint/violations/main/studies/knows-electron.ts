import { app } from 'electron'

export const knowsElectron = app
