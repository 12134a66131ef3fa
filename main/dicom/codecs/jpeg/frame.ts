import type { HuffmanTable } from './bits.ts'

export interface JpegComponent {
  id: number
  /** Sampling factors, T.81 A.1.1. */
  horizontal: number
  vertical: number
  quantisationTable: number
  /** Samples of this component that are image, not padding. */
  width: number
  height: number
  /** Blocks that hold image samples: what a scan of this component alone visits. */
  blocksWide: number
  blocksHigh: number
  /** Blocks a row in memory, padded to whole MCUs. */
  blocksStride: number
  /** DCT only: quantised coefficients in natural order, 64 a block. */
  coefficients: Int16Array
  /** Quantisation table in force at the component's first scan, natural order. */
  quantisation: Int32Array | null
}

export interface JpegFrame {
  process: 'sequential' | 'progressive' | 'lossless'
  precision: number
  width: number
  height: number
  components: JpegComponent[]
  maxHorizontal: number
  maxVertical: number
  mcusWide: number
  mcusHigh: number
  /** Lossless only: samples, components interleaved. */
  samples: Uint8Array | Uint16Array
}

export interface JpegScan {
  components: { component: JpegComponent; index: number; dc: HuffmanTable | null; ac: HuffmanTable | null }[]
  /** Ss: first coefficient, or the predictor of a lossless scan. */
  spectralStart: number
  spectralEnd: number
  /** Ah */
  approximationHigh: number
  /** Al, or the point transform of a lossless scan. */
  approximationLow: number
  restartInterval: number
}
