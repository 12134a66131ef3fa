"""Scores radiographs with the classifier's ONNX weights, but without onnxruntime and without Alcove.

    /usr/bin/python3 reference_scores.py MODEL_FOLDER IMAGE...    → JSON list of probabilities

Images are read and resized by PIL and normalised by the manifest; the graph is walked node by node with torch.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from PIL import Image
from torch.nn import functional as F


def attributes(node):
    return {a.name: numpy_helper.to_array(a.t) if a.type == onnx.AttributeProto.TENSOR else onnx.helper.get_attribute_value(a)
            for a in node.attribute}


def padded(x, pads):
    half = len(pads) // 2
    return F.pad(x, [p for i in reversed(range(half)) for p in (pads[i], pads[i + half])])


def apply(op, x, a):
    if op == 'Conv':
        return F.conv2d(padded(x[0], a.get('pads', [0] * 4)), x[1], x[2] if len(x) > 2 else None, a.get('strides', [1, 1]),
                        groups=a.get('group', 1))
    if op == 'AveragePool':
        assert not any(a.get('pads', []))
        return F.avg_pool2d(x[0], a['kernel_shape'], a['strides'])
    if op == 'ReduceMean':
        return x[0].mean(a['axes'], keepdim=bool(a.get('keepdims', 1)))
    if op == 'Gemm':
        assert a.get('alpha', 1) == a.get('beta', 1) == 1 and not a.get('transA', 0)
        return x[0] @ (x[1].T if a.get('transB', 0) else x[1]) + x[2]
    if op == 'Pad':
        assert a['mode'] == b'constant'
        return padded(x[0], x[1].tolist())
    if op == 'Constant':
        return torch.from_numpy(np.array(a['value']))
    if op == 'Flatten':
        return x[0].flatten(a.get('axis', 1))
    simple = {'Add': torch.add, 'Sub': torch.sub, 'Mul': torch.mul, 'Div': torch.div, 'Sqrt': torch.sqrt, 'Relu': torch.relu,
              'Sigmoid': torch.sigmoid, 'Identity': lambda v: v}
    return simple[op](*x)


def run(graph, image):
    values = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    values[next(i.name for i in graph.input if i.name not in values)] = image
    for node in graph.node:
        values[node.output[0]] = apply(node.op_type, [values[name] for name in node.input], attributes(node))
    return float(values[graph.output[0].name])


def main():
    folder = Path(sys.argv[1])
    block = json.loads((folder / 'manifest.json').read_text())['inputs'][0]
    graph = onnx.load(str(folder / 'model.onnx')).graph
    size = (block['size']['width'], block['size']['height'])
    scores = []
    with torch.no_grad():
        for path in sys.argv[2:]:
            grey = np.asarray(Image.open(path).convert('L').resize(size, Image.BILINEAR), np.float32) / 255
            x = (grey - block['intensity']['mean']) / block['intensity']['std']
            scores.append(run(graph, torch.from_numpy(x[None, None].astype(np.float32))))
    print(json.dumps(scores))


main()
