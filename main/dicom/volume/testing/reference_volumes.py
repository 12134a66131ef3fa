"""Volumes by pydicom and numpy, as figures to compare with.

Usage: reference_volumes.py OUT NAME=FOLDER|FILE|ZIP… Prints JSON: for each name the shape (columns, rows, slices), the
mean of all voxels after rescale slope and intercept, the mean of a box in the middle, LPS positions of the voxels
(0, 0, 0) and (5, 3, last), and the folder or file read (a ZIP is unpacked into OUT). NAME=FOLDER+RTSTRUCT adds the
voxels of the first structure, counted by a winding test of every voxel centre.
"""

import json
import os
import sys
import zipfile

import numpy
import pydicom


def classic(folder):
    slices = []
    for base, _, names in os.walk(folder):
        for name in names:
            ds = pydicom.dcmread(os.path.join(base, name), force=True)
            if "ImagePositionPatient" in ds:
                slices.append(ds)
    row, column = (numpy.array(slices[0].ImageOrientationPatient[i : i + 3], float) for i in (0, 3))
    normal = numpy.cross(row, column)
    slices.sort(key=lambda ds: float(numpy.dot(numpy.array(ds.ImagePositionPatient, float), normal)))
    data = numpy.stack(
        [
            ds.pixel_array.astype(float) * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
            for ds in slices
        ]
    )
    first, last = (numpy.array(ds.ImagePositionPatient, float) for ds in (slices[0], slices[-1]))
    dy, dx = (float(v) for v in slices[0].PixelSpacing)
    return data, first, last + 5 * dx * row + 3 * dy * column


def enhanced(path):
    ds = pydicom.dcmread(path)
    shared = ds.SharedFunctionalGroupsSequence[0]

    def group(frame, name):
        own = ds.PerFrameFunctionalGroupsSequence[frame]
        return (own if name in own else shared)[name][0]

    orientation = group(0, "PlaneOrientationSequence").ImageOrientationPatient
    row, column = (numpy.array(orientation[i : i + 3], float) for i in (0, 3))
    normal = numpy.cross(row, column)
    places = [numpy.array(group(f, "PlanePositionSequence").ImagePositionPatient, float) for f in range(ds.NumberOfFrames)]
    order = sorted(range(len(places)), key=lambda f: numpy.dot(places[f], normal))
    stored = ds.pixel_array.astype(float)

    def rescaled(frame):
        if "PixelValueTransformationSequence" in ds.PerFrameFunctionalGroupsSequence[frame] or (
            "PixelValueTransformationSequence" in shared
        ):
            values = group(frame, "PixelValueTransformationSequence")
            return stored[frame] * float(values.RescaleSlope) + float(values.RescaleIntercept)
        return stored[frame]

    dy, dx = (float(v) for v in group(0, "PixelMeasuresSequence").PixelSpacing)
    data = numpy.stack([rescaled(f) for f in order])
    return data, places[order[0]], places[order[-1]] + 5 * dx * row + 3 * dy * column


def inside(polygon, x, y):
    """Even-odd rule for arrays of points, edge by edge."""
    hit = numpy.zeros(x.shape, bool)
    for (x1, y1), (x2, y2) in zip(polygon, numpy.roll(polygon, -1, axis=0)):
        if y1 != y2:
            hit ^= ((y1 <= y) != (y2 <= y)) & (x < x1 + (y - y1) / (y2 - y1) * (x2 - x1))
    return hit


def structure(folder, path):
    """Voxels of the first structure in an axial series (row direction +x, column direction +y)."""
    slices = [pydicom.dcmread(os.path.join(folder, name)) for name in os.listdir(folder)]
    masks = {round(float(ds.ImagePositionPatient[2]), 1): numpy.zeros((ds.Rows, ds.Columns), bool) for ds in slices}
    origin, (dy, dx) = slices[0].ImagePositionPatient, slices[0].PixelSpacing
    for contour in pydicom.dcmread(path).ROIContourSequence[0].ContourSequence:
        points = numpy.array(contour.ContourData, float).reshape(-1, 3)
        z = min(masks, key=lambda place: abs(place - points[0, 2]))
        rows, columns = masks[z].shape
        x, y = numpy.meshgrid(float(origin[0]) + numpy.arange(columns) * dx, float(origin[1]) + numpy.arange(rows) * dy)
        masks[z] ^= inside(points[:, :2], x, y)
    return sorted([[int(i), int(j), k] for k, z in enumerate(sorted(masks)) for j, i in zip(*masks[z].nonzero())])


out = sys.argv[1]
results = {}
for argument in sys.argv[2:]:
    name, path = argument.split("=", 1)
    path, _, contours = path.partition("+")
    if path.endswith(".zip"):
        target = os.path.join(out, name)
        zipfile.ZipFile(path).extractall(target)
        path = target
    data, first, corner = enhanced(path) if os.path.isfile(path) else classic(path)
    nz, ny, nx = data.shape
    box = data[nz // 3 : nz // 2 + 1, ny // 3 : ny // 2, nx // 3 : nx // 2]
    results[name] = {
        "path": path,
        "shape": [nx, ny, nz],
        "mean": float(data.mean()),
        "box": float(box.mean()),
        "first": list(first),
        "corner": list(corner),
    }
    if contours:
        results[name]["structure"] = structure(path, contours)
print(json.dumps(results))
