/** A window for display, in the units of the image after the modality LUT (HU for CT). */
export interface WindowPreset {
  /** Presets are told apart by id: vendors use the same name for different numbers. */
  id: string
  name: string
  width: number
  center: number
  /** Key that sets it in the viewer. */
  key: string
}

export const CT_WINDOW_PRESETS: readonly WindowPreset[] = [
  { id: 'ct-soft-tissue', name: 'Soft tissue', width: 400, center: 40, key: '1' },
  { id: 'ct-lung', name: 'Lung', width: 1500, center: -600, key: '2' },
  { id: 'ct-liver', name: 'Liver', width: 150, center: 90, key: '3' },
  { id: 'ct-bone', name: 'Bone', width: 2500, center: 480, key: '4' },
  { id: 'ct-brain', name: 'Brain', width: 80, center: 40, key: '5' },
  { id: 'ct-mediastinum', name: 'Mediastinum', width: 400, center: 40, key: '6' },
]
