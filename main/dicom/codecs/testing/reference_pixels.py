"""Reference pixels by readers that share no code with Alcove: DCMTK, GDCM, pydicom and numpy.

Usage: reference_pixels.py ROOT OUT. Writes OUT/index.json, one entry per DICOM file under ROOT that has pixel data:
{path, transferSyntax, lossy, tool, frames, file, amended?} with OUT/<file> the samples (little-endian, bits outside Bits Stored
removed, signed values extended, colours interleaved RGB), or {path, transferSyntax, reason, amended?} where no tool reads it. OUT/<amended> is a copy with identifiers, for files that
lack a UID an archive needs or have one that is none; their pixels are of interest all the same.
"""

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
import zlib

import numpy
import pydicom
import pydicom.config
from pydicom._uid_dict import UID_dictionary
from pydicom.encaps import generate_pixel_data_frame
from pydicom.pixel_data_handlers import convert_color_space, numpy_handler, rle_handler

warnings.simplefilter("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

PREFIX = "1.2.840.10008.1.2"
NATIVE = {PREFIX, PREFIX + ".1", PREFIX + ".1.99", PREFIX + ".2"}
DEFLATED_FRAME = PREFIX + ".8.1"
JPEG = {PREFIX + ".4." + n for n in ("50", "51", "53", "55", "57", "70")}
LOSSY = {PREFIX + ".4." + n for n in ("50", "51", "53", "55", "81", "91", "111", "112", "203")}
JPEG_LS = {PREFIX + ".4.80", PREFIX + ".4.81"}
RLE = PREFIX + ".5"
HTJ2K = {PREFIX + ".4." + n for n in ("201", "202", "203")}

# Transfer syntaxes younger than this pydicom: it only writes those it knows.
for uid in (*HTJ2K, DEFLATED_FRAME, PREFIX + ".4.110"):
    UID_dictionary.setdefault(uid, (uid, "Transfer Syntax", "", "", ""))


def transcoders(uid):
    gdcm = ["gdcmconv", "--raw", "-i", "IN", "-o", "OUT"]
    if uid in JPEG:
        return [["dcmdjpeg", "IN", "OUT"], gdcm]
    if uid in JPEG_LS:
        return [["dcmdjpls", "IN", "OUT"], gdcm]
    if uid == RLE:
        return [["dcmdrle", "IN", "OUT"], gdcm]
    return [gdcm]


def stored(array, ds):
    """Removes what lies outside the stored bits and extends the sign."""
    if array.dtype.kind == "f" or ds.BitsAllocated == 1:
        return array
    allocated, bits = ds.BitsAllocated, ds.BitsStored
    high = ds.get("HighBit", bits - 1)
    if high < bits - 1 or high >= allocated:
        high = bits - 1
    raw = array.astype("u8") & ((1 << allocated) - 1)
    raw = (raw >> (high + 1 - bits)) & ((1 << bits) - 1)
    if ds.get("PixelRepresentation", 0) == 1:
        raw = raw.astype("i8")
        raw = numpy.where(raw >= 1 << (bits - 1), raw - (1 << bits), raw)
        return raw.astype("i%d" % (allocated // 8))
    return raw.astype("u%d" % (allocated // 8))


def native(ds):
    """Samples of an uncompressed data set, frame by frame."""
    if ds.get("PixelData") is not None and len(ds.PixelData) == 0:
        raise ValueError("no pixel bytes")
    ds._pixel_array = None
    array = stored(numpy_handler.get_pixeldata(ds), ds)
    frames = int(ds.get("NumberOfFrames", 1) or 1)
    samples = ds.get("SamplesPerPixel", 1)
    if samples == 1:
        return array.reshape(frames, ds.Rows, ds.Columns)
    if "PlanarConfiguration" in ds and ds.PlanarConfiguration == 1:
        array = array.reshape(frames, samples, ds.Rows, ds.Columns).transpose(0, 2, 3, 1)
    array = array.reshape(frames, ds.Rows, ds.Columns, samples)
    if ds.PhotometricInterpretation in ("YBR_FULL", "YBR_FULL_422"):
        array = numpy.stack([convert_color_space(frame, ds.PhotometricInterpretation, "RGB") for frame in array])
    return array


def deflated_frames(ds):
    pixels = ds.Rows * ds.Columns
    frames = []
    for data in generate_pixel_data_frame(ds.PixelData, int(ds.get("NumberOfFrames", 1))):
        raw = numpy.frombuffer(zlib.decompressobj(-15).decompress(data), "u1")
        if ds.BitsAllocated == 1:
            frames.append(numpy.unpackbits(raw, bitorder="little")[:pixels])
        else:
            frames.append(raw[: pixels * ds.BitsAllocated // 8].view("<u%d" % (ds.BitsAllocated // 8)))
    return numpy.stack(frames).reshape(-1, ds.Rows, ds.Columns)


def rle_bits(ds):
    """Packed 1-bit frames, which neither DCMTK nor GDCM read."""
    pixels = ds.Rows * ds.Columns
    frames = []
    for data in generate_pixel_data_frame(ds.PixelData, int(ds.get("NumberOfFrames", 1))):
        packed = numpy.frombuffer(bytes(rle_handler._rle_decode_segment(data[64:])), "u1")
        frames.append(numpy.unpackbits(packed, bitorder="little")[:pixels])
    return numpy.stack(frames).reshape(-1, ds.Rows, ds.Columns)


def reference(path, ds, uid, scratch):
    if uid in NATIVE:
        return "pydicom", native(ds)
    if uid == DEFLATED_FRAME:
        return "zlib", deflated_frames(ds)
    if uid == RLE and ds.BitsAllocated == 1:
        return "pydicom", rle_bits(ds)
    if uid in HTJ2K:
        from PIL import Image

        data = generate_pixel_data_frame(ds.PixelData, int(ds.get("NumberOfFrames", 1)))
        return "openjpeg", numpy.stack([numpy.asarray(Image.open(io.BytesIO(frame))) for frame in data])
    errors = []
    for command in transcoders(uid):
        out = os.path.join(scratch, "out.dcm")
        if os.path.exists(out):
            os.remove(out)
        line = [path if word == "IN" else out if word == "OUT" else word for word in command]
        done = subprocess.run(line, capture_output=True, timeout=60)
        if done.returncode != 0 or not os.path.exists(out):
            errors.append(command[0] + ": " + (done.stderr or done.stdout).decode("latin1").strip().split("\n")[-1][:160])
            continue
        try:
            raw = pydicom.dcmread(out, force=True)
            if str(raw.file_meta.TransferSyntaxUID) not in NATIVE:
                raise ValueError("still compressed")
            return command[0], native(raw)
        except Exception as error:
            errors.append(command[0] + ": " + repr(error)[:160])
    raise ValueError("; ".join(errors))


IDENTIFIERS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


def amended(ds, out, name):
    """Writes a copy with valid identifiers when the file has none; None when it needs no such help."""
    if all(re.fullmatch(r"[0-9.]{1,64}", str(ds.get(keyword, ""))) for keyword in IDENTIFIERS):
        return None
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.1", "1.2.3.2", "1.2.3.3"
    ds.save_as(os.path.join(out, name), write_like_original=True)
    return name


def main(root, out):
    index = []
    with tempfile.TemporaryDirectory() as scratch:
        for folder, _, names in sorted(os.walk(root)):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if name.endswith((".zip", ".md", ".tsv", ".json", ".gz", ".nii", ".txt")):
                    continue
                try:
                    ds = pydicom.dcmread(path, force=True)
                    if not any(k in ds for k in (0x7FE00010, 0x7FE00008, 0x7FE00009)):
                        continue
                except Exception:
                    continue
                uid = str(getattr(getattr(ds, "file_meta", None), "TransferSyntaxUID", ""))
                if uid == "" and getattr(ds, "is_little_endian", False):
                    uid = PREFIX if ds.is_implicit_VR else PREFIX + ".1"
                entry = {"path": os.path.relpath(path, root), "transferSyntax": uid, "lossy": uid in LOSSY}
                try:
                    copy = amended(pydicom.dcmread(path, force=True), out, "%d.dcm" % len(index))
                    if copy is not None:
                        entry["amended"] = copy
                except Exception:
                    pass
                try:
                    if "TransferSyntaxUID" not in getattr(ds, "file_meta", {}):
                        ds.file_meta = pydicom.dataset.FileMetaDataset()
                        ds.file_meta.TransferSyntaxUID = uid
                    tool, array = reference(path, ds, uid, scratch)
                    entry.update(tool=tool, frames=len(array), file="%d.raw" % len(index))
                    little = array.astype(array.dtype.newbyteorder("<"))
                    with open(os.path.join(out, entry["file"]), "wb") as raw:
                        raw.write(numpy.ascontiguousarray(little).tobytes())
                except Exception as error:
                    entry["reason"] = str(error)[:400] or repr(error)
                index.append(entry)
    with open(os.path.join(out, "index.json"), "w") as file:
        json.dump(index, file)


main(sys.argv[1], sys.argv[2])
