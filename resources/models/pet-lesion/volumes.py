"""Real PET: DICOM series to SUVbw, their SEG and RTSTRUCT masks, NIfTI pairs, and the resampling between grids.

A volume is `(array, affine)`: array [z, y, x], affine 4x4 from (x, y, z) voxel indices to DICOM LPS mm. All volumes here are
axial and unrotated, with x growing to the left, y to posterior and z to superior; anything else is refused.
"""
import warnings
from datetime import datetime

import numpy as np
import pydicom
from PIL import Image, ImageDraw
from scipy import ndimage


def _seconds(value):
    text = str(value).split('.')[0].ljust(6, '0')
    return (datetime.strptime(text, '%H%M%S') - datetime(1900, 1, 1)).total_seconds()


def suv_factor(header):
    """What stored activity times the rescale slope must be multiplied by to give SUVbw (g/ml).

    GML is SUVbw already. BQML, decay-corrected to the start of the series (START): weight in g over the dose decayed from the
    injection to the series time (QIBA's vendor-neutral rule); ADMIN needs no decay. Raises ValueError for anything else.
    """
    if header.Units == 'GML' and getattr(header, 'SUVType', 'BW') in ('BW', ''):
        return 1.0
    if header.Units != 'BQML':
        raise ValueError(f'units {header.Units} cannot be turned into SUVbw here')
    drug = header.RadiopharmaceuticalInformationSequence[0]
    dose, half_life = float(drug.RadionuclideTotalDose), float(drug.RadionuclideHalfLife)
    if header.DecayCorrection == 'START':
        elapsed = (_seconds(header.SeriesTime) - _seconds(drug.RadiopharmaceuticalStartTime)) % 86400
        dose *= 2 ** (-elapsed / half_life)
    elif header.DecayCorrection != 'ADMIN':
        raise ValueError(f'decay correction {header.DecayCorrection} is not handled')
    return float(header.PatientWeight) * 1000 / dose


def load_pet(folder):
    """(suv, affine) of the one PET series in `folder`."""
    slices = [pydicom.dcmread(path) for path in sorted(folder.rglob('*')) if path.is_file()]
    slices = sorted((s for s in slices if s.get('Modality') == 'PT' and 'PixelData' in s), key=lambda s: float(s.ImagePositionPatient[2]))
    if not slices:
        raise FileNotFoundError(f'no PET slices under {folder}')
    if not np.allclose([float(v) for v in slices[0].ImageOrientationPatient], [1, 0, 0, 0, 1, 0], atol=1e-3):
        raise ValueError('only unrotated axial series are read here')
    z = np.array([float(s.ImagePositionPatient[2]) for s in slices])
    if np.ptp(np.diff(z)) > 0.05:
        raise ValueError('slices are missing or unevenly spaced')
    factor = suv_factor(slices[0])
    # The rescale slope may differ from slice to slice.
    suv = np.stack([(s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept)) * factor for s in slices])
    first = slices[0]
    affine = np.diag([float(first.PixelSpacing[1]), float(first.PixelSpacing[0]), float(np.diff(z).mean()), 1.0])
    affine[:3, 3] = [float(v) for v in first.ImagePositionPatient]
    return suv.astype(np.float32), affine


def load_seg(path, shape, affine):
    """{label: bool mask} of a binary SEG on the grid of the series it was drawn on."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        seg = pydicom.dcmread(path)
    frames = seg.pixel_array.reshape(-1, seg.Rows, seg.Columns)
    names = {int(s.SegmentNumber): str(s.SegmentLabel) for s in seg.SegmentSequence}
    masks = {name: np.zeros(shape, bool) for name in names.values()}
    for frame, group in zip(frames, seg.PerFrameFunctionalGroupsSequence):
        position = [float(v) for v in group.PlanePositionSequence[0].ImagePositionPatient]
        if not np.allclose(position[:2], affine[:2, 3], atol=0.5):
            raise ValueError('the SEG lies on another grid than its series')
        k = (position[2] - affine[2, 3]) / affine[2, 2]
        if abs(k - round(k)) > 0.1:
            raise ValueError('a SEG frame lies between slices')
        number = int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        masks[names[number]][round(k)] |= frame > 0
    return masks


def load_rtstruct(path, shape, affine, supersample=8):
    """Mask of the first ROI of an RTSTRUCT: a voxel belongs to it when at least half of its area in the slice does."""
    roi = pydicom.dcmread(path).ROIContourSequence[0]
    mask = np.zeros(shape, bool)
    for contour in roi.ContourSequence:
        points = np.array(contour.ContourData, float).reshape(-1, 3)
        voxels = (points - affine[:3, 3]) / np.diag(affine)[:3]
        k = int(round(voxels[0, 2]))
        canvas = Image.new('1', (shape[2] * supersample, shape[1] * supersample))
        # A voxel's centre is its index, hence the half.
        outline = [tuple((p + 0.5) * supersample - 0.5) for p in voxels[:, :2]]
        ImageDraw.Draw(canvas).polygon(outline, fill=1)
        area = np.asarray(canvas, float).reshape(shape[1], supersample, shape[2], supersample).mean((1, 3))
        # Contours inside contours cut holes.
        mask[k] ^= area >= 0.5
    return mask


def load_nifti(path):
    """(array, affine) of a NIfTI file, turned so that x, y, z grow to left, posterior, superior."""
    import nibabel
    image = nibabel.load(str(path))
    turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt('LPS'))
    image = image.as_reoriented(turn)
    # NIfTI is RAS: the first two axes change sign. Small rotations are dropped, spacing is kept.
    affine = np.diag([*(float(v) for v in image.header.get_zooms()[:3]), 1.0])
    affine[:3, 3] = (np.diag([-1, -1, 1, 1]) @ image.affine)[:3, 3]
    return np.asarray(image.dataobj, np.float32).transpose(2, 1, 0), affine


def spacing_zyx(affine):
    return np.diag(affine)[[2, 1, 0]]


def resample(array, spacing_from, spacing_to, shape_to=None, order=1):
    """Array on a grid of another spacing with the same corner (not the same first voxel centre), linear by default.

    `shape_to` defaults to what covers the extent. Outside is 0.
    """
    spacing_from, spacing_to = np.asarray(spacing_from, float), np.asarray(spacing_to, float)
    if shape_to is None:
        shape_to = [int(np.ceil(n * a / b - 1e-6)) for n, a, b in zip(array.shape, spacing_from, spacing_to)]
    ratio = spacing_to / spacing_from
    with warnings.catch_warnings():
        # SciPy reminds us that a vector of ratios changed its meaning in 0.18.
        warnings.simplefilter('ignore')
        return ndimage.affine_transform(array.astype(np.float32), ratio, 0.5 * ratio - 0.5, tuple(shape_to), order=order,
                                        mode='grid-constant')
