import type { Intensity, ModelInput } from '#common/model/manifest.ts'

/** Value given to voxels beyond the source's edge, in the input's unit: no uptake, air. */
export function outsideValue(unit: ModelInput['unit']): number {
  return unit === 'HU' ? -1024 : 0
}

/** y = (clip(x) − offset) / divisor: all kinds of normalisation are of this form. */
interface Linear {
  low: number
  high: number
  offset: number
  divisor: number
}

function linear(intensity: Intensity): Linear {
  switch (intensity.kind) {
    case 'clip-scale': {
      const { low, high } = intensity
      return { low, high, offset: low, divisor: high - low }
    }
    case 'clip-zscore':
      return { low: intensity.low, high: intensity.high, offset: intensity.mean, divisor: intensity.std }
    case 'display-zscore':
      return { low: 0, high: 1, offset: intensity.mean, divisor: intensity.std }
  }
}

export function normalise(value: number, intensity: Intensity): number {
  const { low, high, offset, divisor } = linear(intensity)
  return (Math.min(high, Math.max(low, value)) - offset) / divisor
}

/** In place. Values that are no numbers (padding of float pixel data) become `outside`. */
export function normaliseAll(values: Float32Array, intensity: Intensity, outside: number): void {
  const { low, high, offset, divisor } = linear(intensity)
  for (let i = 0; i < values.length; i++) {
    const value = Number.isNaN(values[i]!) ? outside : values[i]!
    values[i] = ((value < low ? low : value > high ? high : value) - offset) / divisor
  }
}
