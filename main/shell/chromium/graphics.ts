import { readdir } from 'node:fs/promises'
import type { Graphics } from './flags.ts'

const MESA_VENDOR_FOLDERS = ['/usr/share/glvnd/egl_vendor.d', '/etc/glvnd/egl_vendor.d']

/** A render node means a GPU with a driver; without one Mesa's software EGL is faster than SwiftShader. */
export async function detectGraphics(platform: NodeJS.Platform = process.platform): Promise<Graphics> {
  // Windows and macOS always have a GPU or fall back (WARP) by themselves.
  if (platform !== 'linux') return 'gpu'
  if ((await names('/dev/dri')).some((name) => name.startsWith('renderD'))) return 'gpu'
  if ((await names('/dev')).includes('nvidia0')) return 'gpu'
  for (const folder of MESA_VENDOR_FOLDERS) {
    if ((await names(folder)).some((name) => name.includes('mesa'))) return 'mesa-software'
  }
  return 'swiftshader'
}

function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
