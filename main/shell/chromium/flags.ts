export interface BrowserFlagsInput {
  userDataDir: string
  /** Page of the profile that enters the server. */
  entryPage: string
  root: boolean
  graphics: Graphics
  /** Further flags, for tests (`--headless=new`). */
  extra?: string[]
}

/** What draws the page: the machine's GPU, Mesa in software, or the browser's own SwiftShader. */
export type Graphics = 'gpu' | 'mesa-software' | 'swiftshader'

// WebGL needs one of these where there is no GPU: a plain app window has none at all then.
const GRAPHICS_FLAGS: Record<Graphics, string[]> = {
  gpu: [],
  'mesa-software': ['--use-gl=angle', '--use-angle=gl-egl', '--ignore-gpu-blocklist'],
  swiftshader: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
}

/** The browser shows one window of one local page and talks to nobody else. */
export function browserFlags(input: BrowserFlagsInput): string[] {
  return [
    `--user-data-dir=${input.userDataDir}`,
    `--app=${input.entryPage}`,
    '--start-maximized',
    // Where nothing maximizes (no window manager), what the smallest reading screens show.
    '--window-position=0,0',
    '--window-size=1366,768',
    '--no-first-run',
    '--no-default-browser-check',
    '--no-service-autorun',
    '--no-pings',
    '--disable-background-networking',
    '--disable-background-mode',
    '--disable-breakpad',
    '--disable-client-side-phishing-detection',
    '--disable-component-update',
    '--disable-default-apps',
    '--disable-domain-reliability',
    '--disable-extensions',
    '--disable-quic',
    '--disable-sync',
    '--disable-features=AutofillServerCommunication,MediaRouter,OptimizationHints,Translate',
    '--metrics-recording-only',
    // The profile lasts as long as the window: nothing may ask the OS keychain for it.
    '--password-store=basic',
    '--use-mock-keychain',
    // A proxy must never see the local page, and nothing else is to be reached.
    '--no-proxy-server',
    '--disk-cache-size=1',
    ...GRAPHICS_FLAGS[input.graphics],
    // The sandbox of Chromium refuses to run as root; --test-type hides the banner that says so in the reading room.
    ...(input.root ? ['--no-sandbox', '--test-type'] : []),
    ...(input.extra ?? []),
  ]
}
