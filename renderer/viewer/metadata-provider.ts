import { metaData } from '@cornerstonejs/core'
import { number, numbers } from '#common/dicom/json.ts'
import type { FrameInfo } from './frames-of-series.ts'
import { cross } from './vector.ts'

interface Registered {
  frame: FrameInfo
  modality: string
  seriesInstanceUID: string
}

const registered = new Map<string, Registered>()

export function registerFrame(imageId: string, entry: Registered): void {
  registered.set(imageId, entry)
}

export function unregisterFrame(imageId: string): void {
  registered.delete(imageId)
}

function palette(frame: FrameInfo): Record<string, unknown> {
  const read = (tag: string): Uint16Array | undefined => {
    const inline = frame.dataset[tag]?.InlineBinary
    if (inline === undefined) return undefined
    const bytes = Uint8Array.from(atob(inline), (character) => character.charCodeAt(0))
    return new Uint16Array(bytes.buffer, 0, Math.floor(bytes.length / 2))
  }
  const descriptor = (tag: string): number[] | undefined => numbers(frame.dataset, tag) ?? undefined
  if (frame.photometricInterpretation !== 'PALETTE COLOR') return {}
  return {
    redPaletteColorLookupTableDescriptor: descriptor('00281101'),
    greenPaletteColorLookupTableDescriptor: descriptor('00281102'),
    bluePaletteColorLookupTableDescriptor: descriptor('00281103'),
    redPaletteColorLookupTableData: read('00281201'),
    greenPaletteColorLookupTableData: read('00281202'),
    bluePaletteColorLookupTableData: read('00281203'),
  }
}

function imagePlane(frame: FrameInfo): Record<string, unknown> {
  // cornerstone needs some spacing and position to draw at all; measurements ask FrameInfo, which stays honest.
  const [rowSpacing, columnSpacing] = frame.spacingMm ?? [1, 1]
  const row = frame.rowDirection ?? [1, 0, 0]
  const column = frame.columnDirection ?? [0, 1, 0]
  return {
    frameOfReferenceUID: frame.frameOfReferenceUID ?? undefined,
    rows: frame.rows,
    columns: frame.columns,
    imageOrientationPatient: [...row, ...column],
    rowCosines: row,
    columnCosines: column,
    scanAxisNormal: cross(row, column),
    imagePositionPatient: frame.positionLps ?? [0, 0, 0],
    sliceThickness: frame.thicknessMm ?? undefined,
    pixelSpacing: [rowSpacing, columnSpacing],
    rowPixelSpacing: rowSpacing,
    columnPixelSpacing: columnSpacing,
    usingDefaultValues: frame.spacingMm === null,
  }
}

function provide(type: string, imageId: unknown): unknown {
  const entry = typeof imageId === 'string' ? registered.get(imageId) : undefined
  if (entry === undefined) return undefined
  const { frame } = entry
  switch (type) {
    case 'imagePlaneModule':
      return imagePlane(frame)
    case 'imagePixelModule':
      return {
        samplesPerPixel: frame.samplesPerPixel,
        photometricInterpretation: frame.photometricInterpretation,
        rows: frame.rows,
        columns: frame.columns,
        bitsAllocated: frame.bitsAllocated,
        bitsStored: frame.bitsStored,
        highBit: frame.highBit,
        pixelRepresentation: frame.signed ? 1 : 0,
        planarConfiguration: frame.planarConfiguration,
        ...palette(frame),
      }
    case 'generalSeriesModule':
      return {
        // cornerstone's CPU path keeps fractions only for PET; anything fractional is presented to it as such.
        modality: entry.modality,
        seriesInstanceUID: entry.seriesInstanceUID,
        seriesNumber: number(frame.dataset, '00200011') ?? undefined,
      }
    case 'modalityLutModule':
      return { rescaleSlope: 1, rescaleIntercept: 0 }
    case 'voiLutModule': {
      const window = frame.windows[0]
      return window === undefined ? {} : { windowCenter: [window.center], windowWidth: [window.width] }
    }
    case 'sopCommonModule':
      return { sopClassUID: frame.sopClassUID, sopInstanceUID: frame.sopInstanceUID }
    case 'calibratedPixelSpacing':
    case 'calibrationModule':
      return undefined
    default:
      return undefined
  }
}

let installed = false

export function installMetadataProvider(): void {
  if (installed) return
  installed = true
  metaData.addProvider(provide, 10_000)
}
