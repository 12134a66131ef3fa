import { Enums, type Types, type VolumeViewport3D } from '@cornerstonejs/core'
import { ToolGroupManager } from '@cornerstonejs/tools'
import vtkImageData from '@kitware/vtk.js/Common/DataModel/ImageData.js'
import vtkDataArray from '@kitware/vtk.js/Common/Core/DataArray.js'
import vtkImageMarchingCubes from '@kitware/vtk.js/Filters/General/ImageMarchingCubes.js'
import vtkActor from '@kitware/vtk.js/Rendering/Core/Actor.js'
import vtkMapper from '@kitware/vtk.js/Rendering/Core/Mapper.js'
import type vtkVolume from '@kitware/vtk.js/Rendering/Core/Volume'
import { graphicsInfo, renderingEngine } from './engine.ts'
import type { LabelVolume } from './label-volume.ts'
import type { VoiRange } from './planar-view.ts'
import type { SeriesData } from './series-data.ts'
import { MIP_PRESET, presetValue, type SolidPreset } from './solid-presets.ts'
import { SOLID_TOOLS } from './tools.ts'

/** Rest after the last movement before the fine picture is computed. */
const SETTLE_MS = 280
let sequence = 0

/** One view in depth: a rendered volume or a maximum intensity projection, with findings as surfaces. */
export class SolidView {
  readonly id: string
  readonly element: HTMLDivElement
  #viewport: VolumeViewport3D | null
  #data: SeriesData | null = null
  #preset: SolidPreset = MIP_PRESET
  #settle: number | undefined
  #surfaces = new Set<string>()
  #surfaceSignature = ''
  #observer: ResizeObserver
  #coarse = false
  #onRender: () => void

  constructor(element: HTMLDivElement, onRender: () => void) {
    this.id = `solid-${++sequence}`
    this.element = element
    this.#onRender = onRender
    renderingEngine().enableElement({
      viewportId: this.id,
      type: Enums.ViewportType.VOLUME_3D,
      element,
      defaultOptions: { background: [0.02, 0.024, 0.03], orientation: Enums.OrientationAxis.CORONAL },
    })
    this.#viewport = renderingEngine().getViewport<VolumeViewport3D>(this.id)
    ToolGroupManager.getToolGroup(SOLID_TOOLS)?.addViewport(this.id, renderingEngine().id)
    element.addEventListener(Enums.Events.CAMERA_MODIFIED, this.#moved)
    element.addEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered)
    this.#observer = new ResizeObserver(() => renderingEngine().resize(true, true))
    this.#observer.observe(element)
  }

  #rendered = (): void => this.#onRender()

  #moved = (): void => {
    window.clearTimeout(this.#settle)
    if (!this.#coarse) this.#quality(true)
    this.#settle = window.setTimeout(() => {
      this.#quality(false)
      this.#viewport?.render()
    }, SETTLE_MS)
  }

  #volumeActor(): vtkVolume | null {
    const entry = this.#viewport?.getDefaultActor()
    return (entry?.actor as vtkVolume | undefined) ?? null
  }

  /** Coarse while it moves, fine at rest: software rendering needs seconds for what a GPU does in a frame. */
  #quality(coarse: boolean): void {
    const actor = this.#volumeActor()
    const data = this.#data
    if (actor === null || data === null || !data.verdict.ok) return
    this.#coarse = coarse
    const software = graphicsInfo()?.software ?? true
    const smallest = Math.min(...data.verdict.geometry.spacingMm)
    const factor = software ? (coarse ? 8 : 2) : coarse ? 2 : 0.7
    const mapper = actor.getMapper() as unknown as {
      setSampleDistance(mm: number): void
      setMaximumSamplesPerRay(count: number): void
    }
    mapper.setMaximumSamplesPerRay(4000)
    mapper.setSampleDistance(smallest * factor)
    if (this.#preset.kind === 'composite') actor.getProperty().setShade(!(software && coarse))
  }

  async show(data: SeriesData, preset: SolidPreset, voi: VoiRange): Promise<void> {
    if (this.#viewport === null || data.volume() === null) return
    const fresh = this.#data !== data
    this.#data = data
    if (fresh) {
      this.#surfaceSignature = ''
      this.#surfaces.clear()
      await this.#viewport.setVolumes([{ volumeId: data.volumeId }] as Types.IVolumeInput[])
    }
    this.apply(preset, voi)
    if (fresh) this.#viewport.resetCamera()
    this.#viewport?.render()
  }

  apply(preset: SolidPreset, voi: VoiRange): void {
    const viewport = this.#viewport
    const actor = this.#volumeActor()
    if (viewport === null || actor === null) return
    this.#preset = preset
    const property = actor.getProperty()
    const mapper = actor.getMapper() as unknown as { setBlendMode(mode: number): void }
    // vtk: 0 composite, 1 maximum intensity.
    mapper.setBlendMode(preset.kind === 'mip' ? 1 : 0)
    const colour = property.getRGBTransferFunction(0)
    colour.removeAllPoints()
    for (const [value, r, g, b] of preset.colours) colour.addRGBPoint(presetValue(preset, value, voi), r, g, b)
    const opacity = property.getScalarOpacity(0)
    opacity.removeAllPoints()
    for (const [value, part] of preset.opacities) opacity.addPoint(presetValue(preset, value, voi), part)
    property.setScalarOpacityUnitDistance(0, 1)
    property.setInterpolationTypeToLinear()
    property.setUseGradientOpacity(0, false)
    property.setShade(preset.kind === 'composite')
    property.setAmbient(0.25)
    property.setDiffuse(0.75)
    property.setSpecular(0.2)
    property.setSpecularPower(12)
    this.#quality(false)
    viewport.render()
  }

  /** Turns the camera to look along −normal with `up` on top, e.g. from the front. */
  turn(orientation: 'front' | 'left' | 'top'): void {
    const axis =
      orientation === 'front'
        ? Enums.OrientationAxis.CORONAL
        : orientation === 'left'
          ? Enums.OrientationAxis.SAGITTAL
          : Enums.OrientationAxis.AXIAL
    this.#viewport?.setOrientation(axis)
    this.#viewport?.resetCamera()
    this.#viewport?.render()
  }

  /** Findings as smooth surfaces; replaces what was there. */
  setSurfaces(volumes: LabelVolume[], hidden: ReadonlySet<number>, opacity: number): void {
    const viewport = this.#viewport
    if (viewport === null || this.#data === null || this.#volumeActor() === null) return
    const signature = JSON.stringify([volumes.map((volume) => volume.sopInstanceUID), [...hidden], opacity])
    if (signature === this.#surfaceSignature) return
    this.#surfaceSignature = signature
    if (this.#surfaces.size > 0) viewport.removeActors([...this.#surfaces])
    this.#surfaces.clear()
    for (const volume of volumes)
      for (const segment of volume.segments) {
        if (hidden.has(segment.number) || (volume.voxelCounts.get(segment.number) ?? 0) === 0) continue
        const uid = `surface-${volume.sopInstanceUID}-${segment.number}`
        viewport.addActor({ uid, actor: surface(volume, segment.number, segment.colorRgb, opacity) })
        this.#surfaces.add(uid)
      }
    this.element.dataset['surfaces'] = String(this.#surfaces.size)
    viewport.render()
  }

  reset(): void {
    this.#viewport?.resetCamera()
    this.#viewport?.render()
  }

  dispose(): void {
    window.clearTimeout(this.#settle)
    this.#observer.disconnect()
    this.element.removeEventListener(Enums.Events.CAMERA_MODIFIED, this.#moved)
    this.element.removeEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered)
    ToolGroupManager.getToolGroup(SOLID_TOOLS)?.removeViewports(renderingEngine().id, this.id)
    renderingEngine().disableElement(this.id)
    this.#viewport = null
    this.#data = null
  }
}

/** Marching cubes on the label, one voxel of padding so that surfaces close at the edge of the box. */
function surface(volume: LabelVolume, segment: number, rgb: readonly number[], opacity: number): vtkActor {
  const [columns, rows, slices] = volume.geometry.dimensions
  const [spacingX, spacingY, spacingZ] = volume.geometry.spacingMm
  const size = [columns + 4, rows + 4, slices + 4] as const
  const mask = new Float32Array(size[0] * size[1] * size[2])
  for (let k = 0; k < slices; k++)
    for (let j = 0; j < rows; j++)
      for (let i = 0; i < columns; i++)
        if (volume.labels[i + columns * (j + rows * k)] === segment)
          mask[i + 2 + size[0] * (j + 2 + size[1] * (k + 2))] = 1
  const image = vtkImageData.newInstance({ spacing: [spacingX, spacingY, spacingZ], origin: [0, 0, 0] })
  image.setDimensions(size[0], size[1], size[2])
  image
    .getPointData()
    .setScalars(vtkDataArray.newInstance({ name: 'label', numberOfComponents: 1, values: blurred(mask, size) }))
  const cubes = vtkImageMarchingCubes.newInstance({ contourValue: 0.5, computeNormals: true, mergePoints: true })
  cubes.setInputData(image)
  cubes.update()
  const mapper = vtkMapper.newInstance({ scalarVisibility: false })
  mapper.setInputData(cubes.getOutputData())
  const actor = vtkActor.newInstance()
  actor.setMapper(mapper)
  const { axes, origin } = volume.geometry
  const start = [0, 1, 2].map(
    (at) => origin[at]! - 2 * (axes[0][at]! * spacingX + axes[1][at]! * spacingY + axes[2][at]! * spacingZ),
  )
  actor.setUserMatrix([...axes[0], 0, ...axes[1], 0, ...axes[2], 0, ...start, 1] as never)
  const property = actor.getProperty()
  property.setColor((rgb[0] ?? 255) / 255, (rgb[1] ?? 170) / 255, (rgb[2] ?? 60) / 255)
  property.setOpacity(opacity)
  property.setSpecular(0.25)
  property.setSpecularPower(20)
  property.setAmbient(0.15)
  return actor
}

/** One pass of a 1-2-1 filter along each axis rounds the steps between voxels. */
function blurred(values: Float32Array, size: readonly [number, number, number]): Float32Array {
  const strides = [1, size[0], size[0] * size[1]] as const
  let source = values
  for (let axis = 0; axis < 3; axis++) {
    const stride = strides[axis]!
    const out = source.slice()
    for (let at = stride; at < source.length - stride; at++)
      out[at] = source[at - stride]! * 0.25 + source[at]! * 0.5 + source[at + stride]! * 0.25
    source = out
  }
  return source
}
