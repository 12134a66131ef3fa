/** What the browser calls its GL renderer; null when it has none. */
export function glRenderer(): string | null {
  const canvas = document.createElement('canvas')
  const gl = canvas.getContext('webgl2')
  if (gl === null) return null
  const info = gl.getExtension('WEBGL_debug_renderer_info')
  const name = gl.getParameter(info === null ? gl.RENDERER : info.UNMASKED_RENDERER_WEBGL) as unknown
  gl.getExtension('WEBGL_lose_context')?.loseContext()
  return typeof name === 'string' ? name : 'unknown'
}

/** Renderers that compute on the processor: their GL is slower for flat views than plain arithmetic. */
export function isSoftwareRenderer(name: string | null): boolean {
  return name === null || /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name)
}
