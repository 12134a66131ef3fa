declare module '*.css' {}
declare module '@kitware/vtk.js/Filters/General/ImageMarchingCubes.js' {
  import type { vtkAlgorithm, vtkObject } from '@kitware/vtk.js/interfaces'
  interface MarchingCubes extends vtkObject, vtkAlgorithm {
    update(): void
  }
  const filter: {
    newInstance(values?: { contourValue?: number; computeNormals?: boolean; mergePoints?: boolean }): MarchingCubes
  }
  export default filter
}
