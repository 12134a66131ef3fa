/** Colours as [position 0–1, r, g, b]; linear in between. */
type Stop = [number, number, number, number]

const STOPS: Record<'hot-iron' | 'grey-inverse', Stop[]> = {
  // Hot Iron, PS3.6 annex B.1.1: the palette PET is usually fused with.
  'hot-iron': [
    [0, 0, 0, 0],
    [0.5, 255, 0, 0],
    [0.75, 255, 128, 0],
    [1, 255, 255, 255],
  ],
  'grey-inverse': [
    [0, 255, 255, 255],
    [1, 0, 0, 0],
  ],
}

export type ColourMapName = keyof typeof STOPS

/** 256 colours, r, g, b each 0–255. */
export function colourTable(name: ColourMapName): Uint8Array {
  const stops = STOPS[name]
  const table = new Uint8Array(256 * 3)
  for (let entry = 0; entry < 256; entry++) {
    const at = entry / 255
    const upper = Math.max(
      1,
      stops.findIndex(([position]) => position >= at),
    )
    const [from, to] = [stops[upper - 1]!, stops[upper]!]
    const t = (at - from[0]) / (to[0] - from[0])
    for (let channel = 0; channel < 3; channel++)
      table[entry * 3 + channel] = Math.round(from[channel + 1]! + (to[channel + 1]! - from[channel + 1]!) * t)
  }
  return table
}
