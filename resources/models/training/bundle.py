"""Writes a model package: model.onnx, golden tensors, metrics.json, card.md and manifest.json with their digests.

The format is common/model/manifest.ts. Tensor files are raw little-endian float32 in C order.
"""
import argparse
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnx
import torch

MODELS_FOLDER = Path(__file__).resolve().parent.parent
OPSET = 17


def arguments(description, **flags):
    """Command line shared by the training scripts. `flags` adds options: name=(default, help)."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    default = os.environ.get('ALCOVE_SHARED') or str(MODELS_FOLDER.parents[2] / 'shared')
    parser.add_argument('--data', type=Path, default=Path(default), help='folder that holds ml/ and dicom/ (or env ALCOVE_SHARED)')
    parser.add_argument('--seed', type=int, default=20261121)
    parser.add_argument('--threads', type=int, default=2)
    for name, (value, text) in flags.items():
        kind = {'action': 'store_true'} if value is False else {'type': type(value)}
        parser.add_argument('--' + name.replace('_', '-'), default=value, help=text, **kind)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    return options


def export_onnx(network, example, path, input_name, output_name):
    """Exports `network` (in eval mode, so that BatchNorm folds into the convolutions) with a fixed input shape."""
    network.eval()
    # PyTorch 1.13 stops at opset 17, the newest that it and onnxruntime 1.30 agree on.
    torch.onnx.export(network, example, str(path), opset_version=OPSET, input_names=[input_name], output_names=[output_name],
                      do_constant_folding=True)
    model = onnx.load(str(path))
    onnx.checker.check_model(model)
    return sorted({node.op_type for node in model.graph.node})


def write_tensor(path, tensor):
    """Raw little-endian float32, C order."""
    Path(path).write_bytes(np.ascontiguousarray(np.asarray(tensor), dtype='<f4').tobytes())


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def write_json(path, value):
    Path(path).write_text(json.dumps(value, indent=2, ensure_ascii=False) + '\n')


def write_manifest(folder, manifest):
    """manifest.json with the digests of the package's other files. The training script is not part of the package."""
    names = ['model.onnx', 'card.md', 'golden-input.bin', 'golden-output.bin', 'metrics.json']
    write_json(folder / 'manifest.json', {**manifest, 'files': {name: sha256(folder / name) for name in names}})


def rounded(value, digits=4):
    """The same structure with its floats rounded, for a metrics.json that a person can read."""
    if isinstance(value, float):
        return round(value, digits)
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, digits) for item in value]
    return value


def shown(metric, digits=3):
    """'0.912 (95 % CI 0.890–0.930)' of a {value|mean, ci95}, or the bare number."""
    if isinstance(metric, dict):
        number = metric['value'] if 'value' in metric else metric['mean']
        low, high = metric['ci95']
        return f'{number:.{digits}f} (95 % CI {low:.{digits}f}–{high:.{digits}f})'
    return f'{metric:.{digits}f}'


def table(header, rows):
    """A Markdown table."""
    lines = ['| ' + ' | '.join(header) + ' |', '| ' + ' | '.join('---' for _ in header) + ' |']
    return '\n'.join(lines + ['| ' + ' | '.join(str(cell) for cell in row) + ' |' for row in rows])
