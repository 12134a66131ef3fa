import { createContext, useContext } from 'react'
import type { ReadingSession } from './session.ts'

export const SessionContext = createContext<ReadingSession | null>(null)

export function useSession(): ReadingSession {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('This part of the screen needs an open study.')
  return session
}
