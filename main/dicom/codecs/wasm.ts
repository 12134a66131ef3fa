import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { isAlcoveError, toAlcoveError } from '#common/errors.ts'
import { undecodable } from './undecodable.ts'

interface FrameInfo {
  width: number
  height: number
  bitsPerSample: number
  componentCount: number
  isSigned?: boolean
}

/** The face all Cornerstone codecs share. Buffers are views into the module's memory: copy before the next call. */
interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array
  decode(): void
  getFrameInfo(): FrameInfo
  getDecodedBuffer(): Uint8Array
  getInterleaveMode?(): number
  delete(): void
}

interface WasmModule {
  getExceptionMessage?(pointer: number): unknown
  [decoder: string]: unknown
}

export interface WasmImage {
  width: number
  height: number
  precision: number
  components: number
  signed: boolean
  /** Colour planes one after the other (JPEG-LS without interleaving). */
  planar: boolean
  /** 8-bit samples up to a precision of 8, else 16-bit, two's complement when `signed`. */
  samples: Uint8Array | Uint16Array
}

const CODECS = {
  'jpeg-ls': {
    script: '@cornerstonejs/codec-charls/decodewasmjs',
    wasm: '@cornerstonejs/codec-charls/decodewasm',
    decoder: 'JpegLSDecoder',
  },
  'jpeg-2000': {
    script: '@cornerstonejs/codec-openjpeg/decodewasmjs',
    wasm: '@cornerstonejs/codec-openjpeg/decodewasm',
    decoder: 'J2KDecoder',
  },
  htj2k: {
    script: '@cornerstonejs/codec-openjph/wasmjs',
    wasm: '@cornerstonejs/codec-openjph/wasm',
    decoder: 'HTJ2KDecoder',
  },
  'jpeg-xl': {
    script: '@cornerstonejs/codec-libjxl/decodewasmjs',
    wasm: '@cornerstonejs/codec-libjxl/decodewasm',
    decoder: 'JpegXLDecoder',
  },
} as const

export type WasmCodec = keyof typeof CODECS

const packages = createRequire(import.meta.url)
const loaded = new Map<WasmCodec, Promise<WasmModule>>()

/** Compiled once per thread, on first use. */
function load(codec: WasmCodec): Promise<WasmModule> {
  let module = loaded.get(codec)
  if (module === undefined) {
    module = compile(codec)
    loaded.set(codec, module)
    module.catch(() => loaded.delete(codec))
  }
  return module
}

async function compile(codec: WasmCodec): Promise<WasmModule> {
  const { script, wasm } = CODECS[codec]
  // The binary is handed over so that the script looks for nothing by itself: it may run from inside an archive.
  const [wasmBinary, imported] = await Promise.all([
    readFile(packages.resolve(wasm)),
    import(pathToFileURL(packages.resolve(script)).href) as Promise<{ default: unknown }>,
  ])
  const factory = imported.default as (options: object) => Promise<WasmModule>
  const quiet = (): void => undefined
  return factory({ wasmBinary, print: quiet, printErr: quiet })
}

/**
 * Decodes one frame. The call into WebAssembly is synchronous: run it in a worker thread where latency matters.
 * @throws AlcoveError dicom/undecodable-pixels
 */
export async function decodeWithWasm(codec: WasmCodec, bytes: Uint8Array): Promise<WasmImage> {
  const module = await load(codec)
  const Decoder = module[CODECS[codec].decoder] as new () => WasmDecoder
  const decoder = new Decoder()
  try {
    // CharLS looks for seconds for the end of a JPEG-LS stream that was cut off: one more end marker stops it.
    const end = codec === 'jpeg-ls' ? [0xff, 0xd9] : []
    const encoded = decoder.getEncodedBuffer(bytes.length + end.length)
    encoded.set(bytes)
    encoded.set(end, bytes.length)
    decoder.decode()
    const info = decoder.getFrameInfo()
    const decoded = decoder.getDecodedBuffer()
    const count = info.width * info.height * info.componentCount
    const wide = info.bitsPerSample > 8
    if (count === 0 || decoded.length !== count * (wide ? 2 : 1))
      throw undecodable('the codec gave a different number of pixels than it announced.')
    const own = decoded.slice()
    const image: WasmImage = {
      width: info.width,
      height: info.height,
      precision: info.bitsPerSample,
      components: info.componentCount,
      signed: info.isSigned ?? false,
      planar: codec === 'jpeg-ls' && decoder.getInterleaveMode?.() === 0,
      samples: wide ? new Uint16Array(own.buffer) : own,
    }
    decoder.delete()
    return image
  } catch (error) {
    // After a trap the module's memory may be in any state: the next frame gets a fresh one.
    if (!isAlcoveError(error) && typeof error !== 'number') loaded.delete(codec)
    else decoder.delete()
    throw codecError(module, error)
  }
}

/** C++ exceptions arrive as pointers. */
function codecError(module: WasmModule, error: unknown): Error {
  if (typeof error === 'number') {
    let message: unknown
    try {
      message = module.getExceptionMessage?.(error)
    } catch {
      message = undefined
    }
    return undecodable(`the codec refused it (${typeof message === 'string' ? message : 'no reason given'}).`)
  }
  return toAlcoveError(error, 'dicom/undecodable-pixels')
}
