import { Enums, type Types, utilities } from '@cornerstonejs/core'
import { type SeriesAddress, fetchRendered } from './fetch-frames.ts'
import type { FrameInfo } from './frames-of-series.ts'
import type { VoxelArray } from './stored-values.ts'

export function isColour(frame: FrameInfo): boolean {
  return frame.samplesPerPixel > 1 || frame.photometricInterpretation === 'PALETTE COLOR'
}

function common(imageId: string, frame: FrameInfo) {
  return {
    imageId,
    columns: frame.columns,
    rows: frame.rows,
    width: frame.columns,
    height: frame.rows,
    columnPixelSpacing: frame.spacingMm?.[1] ?? 1,
    rowPixelSpacing: frame.spacingMm?.[0] ?? 1,
    slope: 1,
    intercept: 0,
    invert: false,
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
  }
}

/** A grey image over calibrated values; `pixels` may be a view into the volume's memory and is never copied. */
export function greyImage(
  imageId: string,
  frame: FrameInfo,
  pixels: VoxelArray,
  min: number,
  max: number,
): Types.IImage {
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({
    width: frame.columns,
    height: frame.rows,
    scalarData: pixels,
    numberOfComponents: 1,
    id: imageId,
  })
  voxelManager.clear = () => undefined
  const window = frame.windows[0]
  return {
    ...common(imageId, frame),
    dataType: pixels.constructor.name as Types.PixelDataTypedArrayString,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    isPreScaled: true,
    preScale: { enabled: true, scaled: true, scalingParameters: { rescaleSlope: 1, rescaleIntercept: 0 } },
    photometricInterpretation: frame.photometricInterpretation,
    minPixelValue: min,
    maxPixelValue: max,
    windowCenter: window?.center ?? (min + max) / 2,
    windowWidth: window?.width ?? Math.max(1, max - min),
    sizeInBytes: pixels.byteLength,
    getPixelData: () => pixels,
    getCanvas: undefined as never,
    voxelManager: voxelManager,
  }
}

/**
 * A colour image as the workstation renders it (palette, YBR and planes resolved there, losslessly sent): colours are
 * for looking at, not for measuring values.
 */
export async function colourImage(
  address: SeriesAddress,
  frame: FrameInfo,
  imageId: string,
  signal: AbortSignal,
): Promise<Types.IImage> {
  const bitmap = await createImageBitmap(await fetchRendered(address, frame, signal))
  const canvas = document.createElement('canvas')
  canvas.width = frame.columns
  canvas.height = frame.rows
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (context === null) throw new Error('This browser gives no canvas to draw on.')
  context.drawImage(bitmap, 0, 0, frame.columns, frame.rows)
  bitmap.close()
  const rgba = context.getImageData(0, 0, frame.columns, frame.rows).data
  const rgb = new Uint8Array(frame.columns * frame.rows * 3)
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from]!
    rgb[to++] = rgba[from + 1]!
    rgb[to++] = rgba[from + 2]!
  }
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({
    width: frame.columns,
    height: frame.rows,
    scalarData: rgb,
    numberOfComponents: 3,
    id: imageId,
  })
  voxelManager.clear = () => undefined
  return {
    ...common(imageId, frame),
    dataType: 'Uint8Array',
    color: true,
    rgba: false,
    numberOfComponents: 3,
    photometricInterpretation: 'RGB',
    minPixelValue: 0,
    maxPixelValue: 255,
    windowCenter: 128,
    windowWidth: 256,
    sizeInBytes: rgb.byteLength,
    getPixelData: () => rgb,
    getCanvas: () => canvas,
    voxelManager: voxelManager as never,
  }
}
