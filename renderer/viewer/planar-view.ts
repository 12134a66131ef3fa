import { Enums, type PlanarViewport, utilities } from '@cornerstonejs/core'
import { ToolGroupManager } from '@cornerstonejs/tools'
import { renderingEngine } from './engine.ts'
import type { FrameInfo } from './frames-of-series.ts'
import { type EdgeLetters, edgeLetters } from './orientation.ts'
import type { SeriesData } from './series-data.ts'
import { PLANAR_TOOLS } from './tools.ts'
import { asVec3, cross, dot, length, normalize, scale, sub, type Vec3 } from './vector.ts'
import { indexToWorld } from './volume-geometry.ts'

export type Plane = 'axial' | 'sagittal' | 'coronal'
export type PlanarMode = 'stack' | Plane

export interface VoiRange {
  lower: number
  upper: number
}

/** What a pane draws around the image; recomputed at every rendering. */
export interface PlanarSnapshot {
  /** 0-based place in reading order, and how many there are. */
  index: number
  count: number
  voi: VoiRange
  inverted: boolean
  zoom: number
  letters: EdgeLetters | null
  /** The frame shown, for a stack; the nearest one for an axial plane is not claimed. */
  frame: FrameInfo | null
}

/** Where the screen lies in the patient: a point is origin + x·right + y·down, x and y in CSS pixels. */
export interface ScreenPlane {
  origin: Vec3
  right: Vec3
  down: Vec3
  normal: Vec3
}

const ORIENTATION: Record<Plane, Enums.OrientationAxis> = {
  axial: Enums.OrientationAxis.AXIAL,
  sagittal: Enums.OrientationAxis.SAGITTAL,
  coronal: Enums.OrientationAxis.CORONAL,
}

let sequence = 0

/** One flat view: a stack or an MPR plane of one series in one element. */
export class PlanarView {
  readonly id: string
  readonly element: HTMLDivElement
  #viewport: PlanarViewport | null = null
  #data: SeriesData | null = null
  #mode: PlanarMode = 'stack'
  #onRender: () => void
  #voi: VoiRange = { lower: 0, upper: 1 }
  #inverted = false
  #observer: ResizeObserver
  #shown = 0
  /** False while a series is being put in place: what the viewport says meanwhile is not what a person chose. */
  #settled = false

  constructor(element: HTMLDivElement, onRender: () => void) {
    this.id = `pane-${++sequence}`
    this.element = element
    this.#onRender = onRender
    renderingEngine().enableElement({
      viewportId: this.id,
      type: Enums.ViewportType.PLANAR_NEXT,
      element,
      defaultOptions: { background: [0, 0, 0] },
    })
    this.#viewport = renderingEngine().getViewport<PlanarViewport>(this.id)
    ToolGroupManager.getToolGroup(PLANAR_TOOLS)?.addViewport(this.id, renderingEngine().id)
    element.addEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered)
    this.#observer = new ResizeObserver(() => this.#resize())
    this.#observer.observe(element)
  }

  get data(): SeriesData | null {
    return this.#data
  }

  get mode(): PlanarMode {
    return this.#mode
  }

  #rendered = (): void => this.#onRender()

  #resize(): void {
    if (this.#viewport === null || this.#data === null) return
    try {
      const state = this.#viewport.getViewState()
      renderingEngine().resize(true, true)
      this.#viewport.setViewState(state)
      this.#viewport.render()
    } catch {
      // An element that is being taken apart has nothing to resize.
    }
  }

  /**
   * Shows a series. A plane needs the series' volume, so its pixels must all be there; a stack needs one image.
   * @param start 0-based frame in voxel order (stack) or the point to cut through (plane).
   */
  async show(data: SeriesData, mode: PlanarMode, start: number | Vec3 | null): Promise<void> {
    const viewport = this.#viewport
    if (viewport === null) return
    const ticket = ++this.#shown
    this.#settled = false
    this.#data = data
    this.#mode = mode
    const displaySetId = `${mode === 'stack' ? 'stack' : 'volume'}-${data.address.seriesInstanceUID}`
    const registry = utilities.genericViewportDisplaySetMetadataProvider
    if (mode === 'stack') {
      const index = typeof start === 'number' ? this.#toReading(start) : 0
      registry.add(displaySetId, { imageIds: data.readingOrder, initialImageIdIndex: index, kind: 'planar' })
      await viewport.setDisplaySets({ displaySetId })
    } else {
      data.volume()
      registry.add(displaySetId, { imageIds: data.imageIds, volumeId: data.volumeId, kind: 'planar' })
      await viewport.setDisplaySets({ displaySetId, options: { orientation: ORIENTATION[mode] } as never })
      if (Array.isArray(start)) this.jumpTo(start)
    }
    if (ticket !== this.#shown || this.#viewport === null) return
    viewport.setDisplaySetPresentation(displaySetId, { voiRange: this.#voi, invert: this.#inverted } as never)
    this.#settled = true
    viewport.render()
  }

  #toReading(frameIndex: number): number {
    const count = this.#data?.imageIds.length ?? 0
    return this.#data?.series.readBackwards ? count - 1 - frameIndex : frameIndex
  }

  /** Frame in voxel order that a stack shows. */
  get frameIndex(): number | null {
    if (this.#mode !== 'stack' || this.#viewport === null) return null
    return this.#toReading(this.#viewport.getCurrentImageIdIndex())
  }

  setVoi(voi: VoiRange, inverted: boolean): void {
    this.#voi = voi
    this.#inverted = inverted
    if (this.#viewport === null || this.#data === null) return
    const displaySetId = this.#viewport.getSourceDataId()
    if (displaySetId === undefined) return
    this.#viewport.setDisplaySetPresentation(displaySetId, { voiRange: voi, invert: inverted } as never)
    this.#viewport.render()
  }

  /** The window as the viewport has it: the mouse tool changes it there. */
  currentVoi(): { voi: VoiRange; inverted: boolean } {
    const displaySetId = this.#viewport?.getSourceDataId()
    const shown = displaySetId === undefined ? undefined : this.#viewport?.getDisplaySetPresentation(displaySetId)
    return { voi: shown?.voiRange ?? this.#voi, inverted: shown?.invert ?? this.#inverted }
  }

  snapshot(): PlanarSnapshot | null {
    const viewport = this.#viewport
    const data = this.#data
    if (viewport === null || data === null || !this.#settled || viewport.getSourceDataId() === undefined) return null
    const { voi, inverted } = this.currentVoi()
    this.#voi = voi
    this.#inverted = inverted
    const plane = this.screenPlane()
    const frameIndex = this.frameIndex
    const frame = frameIndex === null ? null : (data.series.frames[frameIndex] ?? null)
    const placed = this.#mode !== 'stack' || (frame?.rowDirection ?? null) !== null
    return {
      index: this.#mode === 'stack' ? viewport.getCurrentImageIdIndex() : viewport.getSliceIndex(),
      count: this.#mode === 'stack' ? data.imageIds.length : viewport.getNumberOfSlices(),
      voi,
      inverted,
      zoom: viewport.getZoom(),
      letters: plane !== null && placed ? edgeLetters(normalize(plane.right), normalize(plane.down)) : null,
      frame,
    }
  }

  /** null until something is shown. */
  screenPlane(): ScreenPlane | null {
    const viewport = this.#viewport
    if (viewport === null || viewport.getSourceDataId() === undefined) return null
    try {
      const origin = asVec3(viewport.canvasToWorld([0, 0]))
      const right = scale(sub(asVec3(viewport.canvasToWorld([100, 0])), origin), 0.01)
      const down = scale(sub(asVec3(viewport.canvasToWorld([0, 100])), origin), 0.01)
      if (![...origin, ...right, ...down].every((value) => Number.isFinite(value)) || length(right) === 0) return null
      return { origin, right, down, normal: normalize(cross(right, down)) }
    } catch {
      return null
    }
  }

  worldToScreen(point: Vec3): [number, number] | null {
    const plane = this.screenPlane()
    if (plane === null) return null
    const from = sub(point, plane.origin)
    return [dot(from, plane.right) / dot(plane.right, plane.right), dot(from, plane.down) / dot(plane.down, plane.down)]
  }

  screenToWorld(x: number, y: number): Vec3 | null {
    const plane = this.screenPlane()
    if (plane === null) return null
    return [0, 1, 2].map((axis) => plane.origin[axis]! + plane.right[axis]! * x + plane.down[axis]! * y) as Vec3
  }

  /** Moves to the slice nearest to a point of the patient. */
  jumpTo(point: Vec3): void {
    const viewport = this.#viewport
    const data = this.#data
    if (viewport === null || data === null) return
    if (this.#mode !== 'stack') {
      viewport.setViewState({ slice: { kind: 'volumePoint', sliceWorldPoint: point } } as never)
      viewport.render()
      return
    }
    let nearest = -1
    let distance = Infinity
    for (const [index, frame] of data.series.frames.entries()) {
      if (frame.positionLps === null || frame.rowDirection === null || frame.columnDirection === null) continue
      const away = Math.abs(dot(sub(point, frame.positionLps), cross(frame.rowDirection, frame.columnDirection)))
      if (away < distance) {
        distance = away
        nearest = index
      }
    }
    if (nearest >= 0) void this.goTo(this.#toReading(nearest))
  }

  /** 0-based in reading order. */
  async goTo(index: number): Promise<void> {
    const viewport = this.#viewport
    if (viewport === null) return
    if (this.#mode === 'stack') {
      await viewport.setImageIdIndex(Math.max(0, Math.min(index, (this.#data?.imageIds.length ?? 1) - 1)))
    } else
      await viewport.scroll(Math.max(0, Math.min(index, viewport.getNumberOfSlices() - 1)) - viewport.getSliceIndex())
    viewport.render()
  }

  async scroll(delta: number): Promise<void> {
    const shown = this.snapshot()
    if (shown !== null) await this.goTo(shown.index + delta)
  }

  zoomBy(factor: number): void {
    this.#viewport?.setZoom((this.#viewport.getZoom() || 1) * factor)
    this.#viewport?.render()
  }

  rotateBy(degrees: number): void {
    if (this.#viewport === null) return
    const rotation = (this.#viewport.getViewState().rotation ?? 0) + degrees
    this.#viewport.setViewState({ rotation: ((rotation % 360) + 360) % 360 })
    this.#viewport.render()
  }

  flip(axis: 'horizontal' | 'vertical'): void {
    if (this.#viewport === null) return
    const state = this.#viewport.getViewState()
    this.#viewport.setViewState(
      axis === 'horizontal' ? { flipHorizontal: !state.flipHorizontal } : { flipVertical: !state.flipVertical },
    )
    this.#viewport.render()
  }

  resetView(): void {
    if (this.#viewport === null) return
    const index = this.snapshot()?.index ?? 0
    this.#viewport.setViewState({ rotation: 0, flipHorizontal: false, flipVertical: false })
    this.#viewport.resetViewState({ resetPan: true, resetZoom: true, resetFlip: true })
    void this.goTo(index)
  }

  /** Point in the middle of what this view shows, on its slice. */
  centre(): Vec3 | null {
    return this.screenToWorld(this.element.clientWidth / 2, this.element.clientHeight / 2)
  }

  /** Voxel index under a point of the screen with its value, for the read-out; null outside the image. */
  probe(x: number, y: number): { value: number; index: Vec3 } | null {
    const data = this.#data
    const point = this.screenToWorld(x, y)
    if (data === null || point === null || !data.verdict.ok || data.voxels === null) return null
    const { geometry } = data.verdict
    const from = sub(point, geometry.origin)
    const index = geometry.axes.map((axis, at) => Math.round(dot(from, axis) / geometry.spacingMm[at]!)) as Vec3
    if (index.some((value, at) => value < 0 || value >= geometry.dimensions[at]!)) return null
    const value = data.voxels[index[0] + geometry.dimensions[0] * (index[1] + geometry.dimensions[1] * index[2])]
    return value === undefined ? null : { value, index: indexToWorld(geometry, index) }
  }

  render(): void {
    this.#viewport?.render()
  }

  dispose(): void {
    this.#observer.disconnect()
    this.element.removeEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered)
    ToolGroupManager.getToolGroup(PLANAR_TOOLS)?.removeViewports(renderingEngine().id, this.id)
    renderingEngine().disableElement(this.id)
    this.#viewport = null
    this.#data = null
  }
}
