import * as tools from '@cornerstonejs/tools'
import { measurementText } from './measurements.ts'

export const PLANAR_TOOLS = 'alcove-planar'
export const SOLID_TOOLS = 'alcove-solid'

/** What the left mouse button does. `crosshair` is drawn and handled by the panes themselves. */
export type PrimaryTool =
  'window' | 'pan' | 'zoom' | 'scroll' | 'crosshair' | 'length' | 'angle' | 'ellipse' | 'rectangle'

const TOOL_NAMES: Record<Exclude<PrimaryTool, 'crosshair'>, string> = {
  window: tools.WindowLevelTool.toolName,
  pan: tools.PanTool.toolName,
  zoom: tools.ZoomTool.toolName,
  scroll: tools.StackScrollTool.toolName,
  length: tools.LengthTool.toolName,
  angle: tools.AngleTool.toolName,
  ellipse: tools.EllipticalROITool.toolName,
  rectangle: tools.RectangleROITool.toolName,
}

const MEASURING = [TOOL_NAMES.length, TOOL_NAMES.angle, TOOL_NAMES.ellipse, TOOL_NAMES.rectangle]

const { MouseBindings } = tools.Enums
type MouseButton = (typeof MouseBindings)[keyof typeof MouseBindings]

export function installTools(): void {
  for (const tool of [
    tools.WindowLevelTool,
    tools.PanTool,
    tools.ZoomTool,
    tools.StackScrollTool,
    tools.LengthTool,
    tools.AngleTool,
    tools.EllipticalROITool,
    tools.RectangleROITool,
    tools.TrackballRotateTool,
  ])
    tools.addTool(tool)
  const planar = tools.ToolGroupManager.createToolGroup(PLANAR_TOOLS)
  if (planar === undefined) return
  planar.addTool(TOOL_NAMES.window)
  planar.addTool(TOOL_NAMES.pan)
  planar.addTool(TOOL_NAMES.zoom, { invert: true })
  planar.addTool(TOOL_NAMES.scroll)
  for (const name of MEASURING)
    planar.addTool(name, {
      getTextLines: (data: unknown, targetId: string | string[] | undefined) => measurementText(name, data, targetId),
    })
  setPrimaryTool('window')
  const solid = tools.ToolGroupManager.createToolGroup(SOLID_TOOLS)
  if (solid === undefined) return
  solid.addTool(tools.TrackballRotateTool.toolName)
  solid.addTool(TOOL_NAMES.pan)
  solid.addTool(TOOL_NAMES.zoom)
  solid.setToolActive(tools.TrackballRotateTool.toolName, { bindings: [{ mouseButton: MouseBindings.Primary }] })
  solid.setToolActive(TOOL_NAMES.pan, { bindings: [{ mouseButton: MouseBindings.Auxiliary }] })
  solid.setToolActive(TOOL_NAMES.zoom, {
    bindings: [{ mouseButton: MouseBindings.Secondary }, { mouseButton: MouseBindings.Wheel }],
  })
  const style = tools.annotation.config.style
  const defaults = style.getDefaultToolStyles()
  style.setDefaultToolStyles({
    ...defaults,
    global: {
      ...defaults['global'],
      color: 'rgb(244, 201, 93)',
      colorHighlighted: 'rgb(255, 226, 150)',
      colorSelected: 'rgb(255, 226, 150)',
      colorLocked: 'rgb(209, 193, 90)',
      lineWidth: '1.5',
      lineDash: '',
      shadow: true,
      textBoxFontFamily: 'system-ui, sans-serif',
      textBoxFontSize: '12px',
      textBoxColor: 'rgb(244, 201, 93)',
      textBoxColorHighlighted: 'rgb(255, 226, 150)',
      textBoxColorSelected: 'rgb(255, 226, 150)',
      textBoxLinkLineWidth: '1',
      textBoxLinkLineDash: '2,3',
    },
  })
}

/** Left button → `tool`; middle pans, right zooms, the wheel scrolls, whatever the left does. */
export function setPrimaryTool(tool: PrimaryTool): void {
  const group = tools.ToolGroupManager.getToolGroup(PLANAR_TOOLS)
  if (group === undefined) return
  for (const name of MEASURING) group.setToolPassive(name, { removeAllBindings: true })
  for (const name of [TOOL_NAMES.window, TOOL_NAMES.pan, TOOL_NAMES.zoom, TOOL_NAMES.scroll])
    group.setToolPassive(name, { removeAllBindings: true })
  const primary = tool === 'crosshair' ? null : TOOL_NAMES[tool]
  const bind = (name: string, buttons: MouseButton[]): void => {
    const mouse = [...buttons, ...(name === primary ? [MouseBindings.Primary] : [])]
    group.setToolActive(name, { bindings: mouse.map((mouseButton) => ({ mouseButton })) })
  }
  bind(TOOL_NAMES.pan, [MouseBindings.Auxiliary])
  bind(TOOL_NAMES.zoom, [MouseBindings.Secondary])
  bind(TOOL_NAMES.scroll, [MouseBindings.Wheel])
  if (primary !== null && ![TOOL_NAMES.pan, TOOL_NAMES.zoom, TOOL_NAMES.scroll].includes(primary)) bind(primary, [])
}

/** Removes the selected measurement, or the newest when none is selected. Says whether there was one. */
export function deleteMeasurement(): boolean {
  const { state, selection } = tools.annotation
  const chosen = selection.getAnnotationsSelected()
  const target = chosen.at(-1) ?? state.getAllAnnotations().at(-1)?.annotationUID
  if (target === undefined) return false
  state.removeAnnotation(target)
  return true
}

export function clearMeasurements(): void {
  tools.annotation.state.removeAllAnnotations()
}
