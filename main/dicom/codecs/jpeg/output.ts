import { undecodable } from '../undecodable.ts'
import type { JpegComponent, JpegFrame } from './frame.ts'
import { inverseDct } from './idct.ts'

interface Plane {
  samples: Uint8Array | Uint16Array
  width: number
  height: number
  stride: number
}

/** Inverse DCT of all components, brought to full size, components interleaved. */
export function dctSamples(frame: JpegFrame): Uint8Array | Uint16Array {
  const { width, height, components } = frame
  const [single] = components
  const planes = components.map((component) => fullSize(frame, component, planeOf(frame, component)))
  if (components.length === 1 && single !== undefined && planes[0] !== undefined) return cropped(frame, planes[0])
  const step = components.length
  const out = newSamples(frame.precision, width * height * step)
  planes.forEach((plane, index) => {
    for (let y = 0; y < height; y++) {
      let to = y * width * step + index
      const from = y * plane.stride
      for (let x = 0; x < width; x++, to += step) out[to] = plane.samples[from + x]!
    }
  })
  return out
}

export function newSamples(precision: number, length: number): Uint8Array | Uint16Array {
  return precision > 8 ? new Uint16Array(length) : new Uint8Array(length)
}

function cropped(frame: JpegFrame, plane: Plane): Uint8Array | Uint16Array {
  if (plane.stride === frame.width) return plane.samples.subarray(0, frame.width * frame.height)
  const out = newSamples(frame.precision, frame.width * frame.height)
  for (let y = 0; y < frame.height; y++)
    out.set(plane.samples.subarray(y * plane.stride, y * plane.stride + frame.width), y * frame.width)
  return out
}

function planeOf(frame: JpegFrame, component: JpegComponent): Plane {
  const { quantisation } = component
  if (quantisation === null) throw undecodable('the JPEG holds no data for one of its components.')
  const stride = component.blocksWide * 8
  const samples = newSamples(frame.precision, stride * component.blocksHigh * 8)
  for (let y = 0; y < component.blocksHigh; y++) {
    for (let x = 0; x < component.blocksWide; x++) {
      const block = (y * component.blocksStride + x) * 64
      inverseDct(component.coefficients, block, quantisation, samples, y * 8 * stride + x * 8, stride, frame.precision)
    }
  }
  return { samples, width: component.width, height: component.height, stride }
}

/**
 * Chroma at the size of the image. 2:1 is interpolated by the triangle filter of the Independent JPEG Group, as DCMTK
 * and GDCM do; other ratios are repeated.
 */
function fullSize(frame: JpegFrame, component: JpegComponent, plane: Plane): Plane {
  const across = frame.maxHorizontal / component.horizontal
  const down = frame.maxVertical / component.vertical
  if (across === 1 && down === 1) return plane
  if (!Number.isInteger(across) || !Number.isInteger(down))
    throw undecodable('the JPEG has sampling factors that are not whole multiples.')
  const smooth = plane.width > 2
  if (smooth && across === 2 && down === 1) return doubledAcross(frame, plane)
  if (smooth && across === 2 && down === 2) return doubledBoth(frame, plane)
  return repeated(frame, plane, across, down)
}

function repeated(frame: JpegFrame, plane: Plane, across: number, down: number): Plane {
  const { width, height } = frame
  const samples = newSamples(frame.precision, width * height)
  for (let y = 0; y < height; y++) {
    const from = Math.floor(y / down) * plane.stride
    for (let x = 0; x < width; x++) samples[y * width + x] = plane.samples[from + Math.floor(x / across)]!
  }
  return { samples, width, height, stride: width }
}

function doubledAcross(frame: JpegFrame, plane: Plane): Plane {
  const stride = plane.width * 2
  const last = plane.width - 1
  const samples = newSamples(frame.precision, stride * plane.height)
  for (let y = 0; y < plane.height; y++) {
    const from = y * plane.stride
    const to = y * stride
    for (let x = 0; x <= last; x++) {
      const here = plane.samples[from + x]!
      samples[to + 2 * x] = x === 0 ? here : (3 * here + plane.samples[from + x - 1]! + 1) >> 2
      samples[to + 2 * x + 1] = x === last ? here : (3 * here + plane.samples[from + x + 1]! + 2) >> 2
    }
  }
  return { samples, width: frame.width, height: plane.height, stride }
}

function doubledBoth(frame: JpegFrame, plane: Plane): Plane {
  const stride = plane.width * 2
  const last = plane.width - 1
  const samples = newSamples(frame.precision, stride * plane.height * 2)
  const sums = new Int32Array(plane.width)
  for (let y = 0; y < plane.height * 2; y++) {
    const row = y >> 1
    const neighbour = Math.min(Math.max(row + (y % 2 === 0 ? -1 : 1), 0), plane.height - 1)
    for (let x = 0; x <= last; x++)
      sums[x] = 3 * plane.samples[row * plane.stride + x]! + plane.samples[neighbour * plane.stride + x]!
    const to = y * stride
    for (let x = 0; x <= last; x++) {
      const here = sums[x]!
      samples[to + 2 * x] = x === 0 ? (here * 4 + 8) >> 4 : (here * 3 + sums[x - 1]! + 8) >> 4
      samples[to + 2 * x + 1] = x === last ? (here * 4 + 7) >> 4 : (here * 3 + sums[x + 1]! + 7) >> 4
    }
  }
  return { samples, width: frame.width, height: frame.height, stride }
}
