import type { AlcoveBridge } from '#common/contract/bridge.ts'

/** What Electron's preload offers; null in a browser, where the page uses file inputs and uploads. */
export function bridge(): AlcoveBridge<File> | null {
  return (window as unknown as { alcove?: AlcoveBridge<File> }).alcove ?? null
}
