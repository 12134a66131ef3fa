export type Point = readonly [x: number, y: number, z: number]

/** What a shape is made of: CT number and FDG uptake. */
export interface Tissue {
  hu: number
  suv: number
}

/** Solids in patient coordinates (LPS), mm. */
export type Shape =
  | { kind: 'ellipsoid'; centre: Point; radii: Point; tissue: Tissue }
  /** An elliptic cylinder along z; `taper` scales its radii by height. */
  | {
      kind: 'column'
      centre: readonly [x: number, y: number]
      radii: readonly [x: number, y: number]
      from: number
      to: number
      tissue: Tissue
      taper?: (z: number) => number
    }
  | { kind: 'capsule'; from: Point; to: Point; radius: number; tissue: Tissue }

/** One axial slice to draw on. */
export interface SliceGrid {
  columns: number
  rows: number
  /** Centre of the first pixel, mm. */
  x0: number
  y0: number
  /** Between columns and rows, mm. */
  spacing: number
}

interface Band {
  x: readonly [number, number]
  y: readonly [number, number]
  /** Signed distance of the point to the surface, mm, negative inside; only its values near 0 are used. */
  distance: (x: number, y: number) => number
}

function ellipse(cx: number, cy: number, rx: number, ry: number, rest: number): Band {
  const scale = Math.sqrt(rest)
  const smallest = Math.min(rx, ry)
  return {
    x: [cx - rx * scale, cx + rx * scale],
    y: [cy - ry * scale, cy + ry * scale],
    distance: (x, y) => {
      const u = (x - cx) / rx
      const v = (y - cy) / ry
      return (Math.sqrt(u * u + v * v + 1 - rest) - 1) * smallest
    },
  }
}

/** Where the slice at height z cuts the shape; null when it does not. */
function cut(shape: Shape, z: number): Band | null {
  switch (shape.kind) {
    case 'ellipsoid': {
      const rest = 1 - ((z - shape.centre[2]) / shape.radii[2]) ** 2
      return rest <= 0 ? null : ellipse(shape.centre[0], shape.centre[1], shape.radii[0], shape.radii[1], rest)
    }
    case 'column': {
      if (z < shape.from || z > shape.to) return null
      const scale = shape.taper?.(z) ?? 1
      return ellipse(shape.centre[0], shape.centre[1], shape.radii[0] * scale, shape.radii[1] * scale, 1)
    }
    case 'capsule': {
      const { from, to, radius } = shape
      if (z < Math.min(from[2], to[2]) - radius || z > Math.max(from[2], to[2]) + radius) return null
      const axis = [to[0] - from[0], to[1] - from[1], to[2] - from[2]] as const
      const length = axis[0] ** 2 + axis[1] ** 2 + axis[2] ** 2
      return {
        x: [Math.min(from[0], to[0]) - radius, Math.max(from[0], to[0]) + radius],
        y: [Math.min(from[1], to[1]) - radius, Math.max(from[1], to[1]) + radius],
        distance: (x, y) => {
          const [dx, dy, dz] = [x - from[0], y - from[1], z - from[2]]
          const t = length === 0 ? 0 : Math.min(1, Math.max(0, (dx * axis[0] + dy * axis[1] + dz * axis[2]) / length))
          return Math.hypot(dx - t * axis[0], dy - t * axis[1], dz - t * axis[2]) - radius
        },
      }
    }
  }
}

/**
 * Draws the shapes, later ones over earlier ones, on one slice (row-major). A pixel on a surface gets both tissues in
 * the proportion in which it is covered.
 */
export function drawSlice(
  shapes: readonly Shape[],
  grid: SliceGrid,
  z: number,
  property: keyof Tissue,
  background: number,
  out: Float32Array,
): void {
  out.fill(background)
  const { spacing } = grid
  for (const shape of shapes) {
    const band = cut(shape, z)
    if (band === null) continue
    const value = shape.tissue[property]
    const fromColumn = Math.max(0, Math.floor((band.x[0] - grid.x0) / spacing - 1))
    const toColumn = Math.min(grid.columns - 1, Math.ceil((band.x[1] - grid.x0) / spacing + 1))
    const fromRow = Math.max(0, Math.floor((band.y[0] - grid.y0) / spacing - 1))
    const toRow = Math.min(grid.rows - 1, Math.ceil((band.y[1] - grid.y0) / spacing + 1))
    for (let row = fromRow; row <= toRow; row += 1) {
      const y = grid.y0 + row * spacing
      for (let column = fromColumn; column <= toColumn; column += 1) {
        const covered = 0.5 - band.distance(grid.x0 + column * spacing, y) / spacing
        if (covered <= 0) continue
        const at = row * grid.columns + column
        out[at] = covered >= 1 ? value : (out[at] ?? 0) * (1 - covered) + value * covered
      }
    }
  }
}
