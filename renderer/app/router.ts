import { useSyncExternalStore } from 'react'
import { isUid } from '#common/ids.ts'

export type Page = { name: 'worklist' } | { name: 'study'; studyUid: string }

/** `#/study/<uid>`; everything else is the study list. */
export function pageOf(hash: string): Page {
  const match = /^#\/study\/([^/?]+)/.exec(hash)
  return match !== null && isUid(match[1]!) ? { name: 'study', studyUid: match[1]! } : { name: 'worklist' }
}

export function goTo(page: Page): void {
  window.location.hash = page.name === 'study' ? `#/study/${page.studyUid}` : '#/'
}

function subscribe(changed: () => void): () => void {
  window.addEventListener('hashchange', changed)
  return () => window.removeEventListener('hashchange', changed)
}

export function useHash(): string {
  return useSyncExternalStore(subscribe, () => window.location.hash)
}
