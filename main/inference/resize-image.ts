/** A grey image, row by row, 0–1. */
export interface GreyImage {
  width: number
  height: number
  pixels: Float32Array
}

interface Contribution {
  first: number
  weights: Float64Array
}

/**
 * Weights of Pillow's BILINEAR resize: a triangle filter that widens with the reduction, so that shrinking averages
 * instead of skipping (Pillow, src/libImaging/Resample.c, precompute_coeffs). Enlarging is plain linear interpolation.
 */
function contributions(from: number, to: number): Contribution[] {
  const scale = from / to
  const filterScale = Math.max(1, scale)
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale
    const first = Math.max(0, Math.trunc(centre - filterScale + 0.5))
    const end = Math.min(from, Math.trunc(centre + filterScale + 0.5))
    const weights = new Float64Array(end - first)
    for (let x = 0; x < weights.length; x++)
      weights[x] = Math.max(0, 1 - Math.abs((x + first - centre + 0.5) / filterScale))
    const sum = weights.reduce((total, weight) => total + weight, 0)
    return { first, weights: weights.map((weight) => weight / sum) }
  })
}

function alongRows({ width, height, pixels }: GreyImage, to: number): GreyImage {
  const table = contributions(width, to)
  const out = new Float32Array(to * height)
  for (let y = 0; y < height; y++)
    for (const [x, { first, weights }] of table.entries()) {
      let sum = 0
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * pixels[y * width + first + i]!
      out[y * to + x] = sum
    }
  return { width: to, height, pixels: out }
}

function alongColumns({ width, height, pixels }: GreyImage, to: number): GreyImage {
  const out = new Float32Array(width * to)
  for (const [y, { first, weights }] of contributions(height, to).entries())
    for (let i = 0; i < weights.length; i++) {
      const [weight, row] = [weights[i]!, (first + i) * width]
      for (let x = 0; x < width; x++) out[y * width + x]! += weight * pixels[row + x]!
    }
  return { width, height: to, pixels: out }
}

/** As PIL's `Image.resize((width, height), BILINEAR)`, without its rounding to whole grey levels. */
export function resizeLikePil(image: GreyImage, width: number, height: number): GreyImage {
  const rows = image.width === width ? image : alongRows(image, width)
  return image.height === height ? rows : alongColumns(rows, height)
}

/**
 * The image at a model's input size. `squeeze` gives up the aspect ratio; `pad` keeps it, centred on black.
 */
export function fitImage(image: GreyImage, width: number, height: number, fit: 'squeeze' | 'pad'): GreyImage {
  if (fit === 'squeeze') return resizeLikePil(image, width, height)
  const scale = Math.min(width / image.width, height / image.height)
  const inner = resizeLikePil(
    image,
    Math.max(1, Math.min(width, Math.round(image.width * scale))),
    Math.max(1, Math.min(height, Math.round(image.height * scale))),
  )
  const out = new Float32Array(width * height)
  const [left, top] = [Math.floor((width - inner.width) / 2), Math.floor((height - inner.height) / 2)]
  for (let y = 0; y < inner.height; y++)
    out.set(inner.pixels.subarray(y * inner.width, (y + 1) * inner.width), (top + y) * width + left)
  return { width, height, pixels: out }
}
