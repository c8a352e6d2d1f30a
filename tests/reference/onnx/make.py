"""Exports small generators with torch.onnx and writes what onnxruntime makes of them: python tests/reference/onnx/make.py

Each row of `rows.json` is a file and the shapes of its inputs, which `numbers` makes; `values.safetensors` holds every second
row and column of what comes out. Made with torch 2.15, onnx 1.23, onnxscript and onnxruntime 1.32.
"""

import io
import json
import math
import os
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

import networks

HERE = os.path.dirname(os.path.abspath(__file__))
warnings.filterwarnings("ignore")

# As narrow as they can be.
SMALL = {
    "pix2pix-instance": lambda: networks.Pix2Pix(torch.nn.InstanceNorm2d, ngf=2),
    "cyclegan-batch": lambda: networks.CycleGAN(torch.nn.BatchNorm2d, ngf=2),
    "gated": lambda: networks.Gated(4),
    "lama": lambda: networks.PublishedLaMa(2),
    "lama-fft": lambda: networks.LaMa(4, symbolic=True),
    "attention": lambda: networks.Attention(4),
}

# name, network, opset, exporter, whether its sides are open, side of the inputs at hand (the network's own if None)
ROWS = [
    ("gated-11-open", "gated", 11, "old", True, 48),
    ("pix2pix-13", "pix2pix-instance", 13, "old", False, None),
    ("cyclegan-17-open", "cyclegan-batch", 17, "old", True, 40),
    ("bilinear-12-open", "bilinear", 12, "old", True, 36),
    ("lama-17", "lama", 17, "old", False, None),
    ("migan-17", "migan", 17, "old", False, None),
    ("attention-18-dynamo", "attention", 18, "dynamo", False, None),
    ("lama-fft-18-dynamo", "lama-fft", 18, "dynamo", False, None),
    ("mixed-20-dynamo", "mixed", 20, "dynamo", False, None),
    ("shuffle-21-dynamo", "shuffle", 21, "dynamo", False, None),
]


def export(net, shapes, opset, exporter, is_open):
    """The bytes of an export."""
    inputs = tuple(torch.zeros(1, c, s, s) for c, s in shapes)
    names = ["image", "mask"][: len(inputs)] if len(inputs) > 1 else ["input"]
    more = {}
    if is_open and exporter == "dynamo":
        height, width = torch.export.Dim("height", min=16, max=1024), torch.export.Dim("width", min=16, max=1024)
        more["dynamic_shapes"] = tuple({2: height, 3: width} for _ in inputs)
    elif is_open:
        more["dynamic_axes"] = {name: {0: "batch", 2: "height", 3: "width"} for name in [*names, "output"]}
    out = io.BytesIO()
    if exporter == "dynamo":
        program = torch.onnx.export(net, inputs, dynamo=True, opset_version=opset, input_names=names, output_names=["output"], verbose=False, **more)
        return program.model_proto.SerializeToString()
    torch.onnx.export(net, inputs, out, dynamo=False, opset_version=opset, input_names=names, output_names=["output"], **more)
    return out.getvalue()


def numbers(count, seed):
    """0 to 1, the same in tests/onnx.rs."""
    index = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(seed * 7919)
    return ((index * np.uint64(2654435761) % np.uint64(2**32)) / 2.0**32).astype(np.float32)


def values(shapes, side, seed):
    """A picture, and a mask if there are two inputs."""
    out = []
    for index, (c, own) in enumerate(shapes):
        shape = (1, c, side or own, side or own)
        x = numbers(math.prod(shape), seed + index).reshape(shape)
        out.append((x > 0.6).astype(np.float32) if index else x)
    return out


def bare(model):
    """Without what exporters tell of the code, paths among it."""
    proto = onnx.load_from_string(model)
    del proto.metadata_props[:], proto.graph.metadata_props[:], proto.graph.value_info[:]
    proto.doc_string = proto.graph.doc_string = ""
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for port in [*proto.graph.input, *proto.graph.output, *proto.graph.initializer]:
        del port.metadata_props[:]
        port.doc_string = ""
    return proto.SerializeToString()


def run(model, inputs):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {port.name: x for port, x in zip(session.get_inputs(), inputs)})[0]


def halves(model):
    """The same graph with its weights in float16, which a Cast makes float32: as converters leave some."""
    proto = onnx.load_from_string(model)
    for tensor in list(proto.graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name + ".half")
        proto.graph.initializer.remove(tensor)
        proto.graph.initializer.append(half)
        proto.graph.node.insert(0, helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
    return proto.SerializeToString()


def main():
    rows, kept = [], {}
    for index, (name, network, opset, exporter, is_open, side) in enumerate(ROWS):
        make, shapes = networks.NETWORKS[network]
        net = networks.randomised(SMALL.get(network, make)(), index)
        model = bare(export(net, shapes, opset, exporter, is_open))
        variants = [(name, model)] + ([(f"{name}-half", halves(model))] if network == "gated" else [])
        for variant, bytes_ in variants:
            with open(f"{HERE}/{variant}.onnx", "wb") as file:
                file.write(bytes_)
            inputs = values(shapes, side, index)
            kept[variant] = np.ascontiguousarray(run(bytes_, inputs)[:, :, ::2, ::2])
            rows.append({"name": variant, "seed": index, "inputs": [x.shape for x in inputs]})
    save_file(kept, f"{HERE}/values.safetensors")
    with open(f"{HERE}/rows.json", "w") as file:
        json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
