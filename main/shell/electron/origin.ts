/** Electron's own scheme: no TCP port, no other program of the machine can reach it. */
export const APP_SCHEME = 'app'
const APP_HOST = 'alcove'
export const APP_ORIGIN = `${APP_SCHEME}://${APP_HOST}`

/** Parsed, never compared as text: "app://alcove.evil" begins like the right one. */
export function isAppUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null) return false
  return (
    url.protocol === `${APP_SCHEME}:` &&
    url.hostname === APP_HOST &&
    url.port === '' &&
    url.username === '' &&
    url.password === ''
  )
}

/** The one document a window may show; everything else of the origin is data for it. */
export function isAppPage(text: string): boolean {
  return isAppUrl(text) && ['/', '/index.html'].includes(new URL(text).pathname)
}
