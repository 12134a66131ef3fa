import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { fitImage, resizeLikePil, type GreyImage } from './resize-image.ts'

const python = '/usr/bin/python3'
const hasPillow = (() => {
  try {
    execFileSync(python, ['-c', 'import PIL.Image, numpy'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** Deterministic noise, so that a wrong filter shows. */
const noise = (width: number, height: number): GreyImage => ({
  width,
  height,
  pixels: Float32Array.from({ length: width * height }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 8) / 2 ** 24),
})

describe('resizing as the training did', () => {
  it('changes nothing at the same size', () => {
    const image = noise(7, 5)
    expect(resizeLikePil(image, 7, 5).pixels).toBe(image.pixels)
  })

  it('by hand: 4 pixels to 2 with a triangle of width 2', () => {
    // Centre 1, support 2: pixels 0–2 at distances ½, ½, 1½ (÷2) weigh ¾, ¾, ¼ → (¾·0 + ¾·1 + ¼·2) / 1¾ = 5/7.
    const { pixels } = resizeLikePil({ width: 4, height: 1, pixels: Float32Array.of(0, 1, 2, 3) }, 2, 1)
    expect(pixels[0]).toBeCloseTo(5 / 7, 6)
    expect(pixels[1]).toBeCloseTo(3 - 5 / 7, 6)
  })

  it.skipIf(!hasPillow)('equals Pillow on float images, shrinking and enlarging', () => {
    for (const [width, height, toWidth, toHeight] of [
      [61, 47, 24, 20],
      [20, 30, 45, 33],
      [50, 10, 7, 31],
    ] as const) {
      const image = noise(width, height)
      const script = `import sys, numpy; from PIL import Image
a = numpy.frombuffer(sys.stdin.buffer.read(), '<f4').reshape(${height}, ${width})
r = Image.fromarray(a, 'F').resize((${toWidth}, ${toHeight}), Image.BILINEAR)
sys.stdout.buffer.write(numpy.asarray(r).astype('<f4').tobytes())`
      const out = execFileSync(python, ['-c', script], { input: Buffer.from(image.pixels.buffer) })
      const expected = new Float32Array(new Uint8Array(out).buffer)
      const { pixels } = resizeLikePil(image, toWidth, toHeight)
      expect(pixels).toHaveLength(expected.length)
      expect(Math.max(...pixels.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-6)
    }
  })

  it('pads to keep the aspect ratio', () => {
    const fitted = fitImage({ width: 4, height: 2, pixels: new Float32Array(8).fill(1) }, 4, 4, 'pad')
    expect([...fitted.pixels]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0])
    const squeezed = fitImage({ width: 4, height: 2, pixels: new Float32Array(8).fill(1) }, 4, 4, 'squeeze')
    expect([...squeezed.pixels]).toEqual(Array.from({ length: 16 }, () => 1))
  })
})
