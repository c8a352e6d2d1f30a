"""Exports every generator of tests/reference/onnx/networks.py at many opsets with both exporters and holds infill against
onnxruntime: python tests/differential/exports.py [WORD...]

Needs torch, onnx, onnxscript, onnxruntime and safetensors, and a built `infill` (INFILL, or target/debug/infill). A row
names the network, the exporter, the opset and the sides; words choose rows that contain them all.
"""

import collections
import os
import subprocess
import sys
import tempfile

import numpy as np
from safetensors.numpy import load_file, save_file

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, f"{ROOT}/tests/reference/onnx")
import make  # noqa: E402
import networks  # noqa: E402

INFILL = os.environ.get("INFILL", f"{ROOT}/target/debug/infill")
OPSETS = [11, 13, 17, 18, 20, 21]
# The most that a value may be off, by engine.
MOST = {"reference": 1e-4, "fast": 1e-3}


def forward(folder, inputs, engine):
    names = ["x"] if len(inputs) == 1 else ["x1", "x2"]
    save_file(dict(zip(names, inputs)), f"{folder}/in.safetensors")
    command = [INFILL, "forward", "--weights", f"{folder}/model.onnx", "--input", f"{folder}/in.safetensors"]
    done = subprocess.run([*command, "--output", f"{folder}/out.safetensors", "--engine", engine], capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip().splitlines()[0]
    return load_file(f"{folder}/out.safetensors")["y"]


def row(folder, name, exporter, opset, is_open):
    """`equal`, or what is wrong; `no export` where PyTorch itself cannot."""
    build, shapes = networks.NETWORKS[name]
    net = networks.randomised(build())
    try:
        model = make.export(net, shapes, opset, exporter, is_open)
        side = shapes[0][1] * (2 if is_open else 1)
        inputs = make.values(shapes, side, 1)
        expected = make.run(model, inputs)
    except Exception as error:  # noqa: BLE001 - exporters raise whatever they like
        return "no export", str(error).strip().splitlines()[0][:90] if str(error).strip() else type(error).__name__
    with open(f"{folder}/model.onnx", "wb") as file:
        file.write(model)
    off = []
    for engine, most in MOST.items():
        out = forward(folder, inputs, engine)
        if isinstance(out, str):
            return "error", out
        if out.shape != expected.shape:
            return "shape", f"{out.shape} for {expected.shape}"
        off.append(float(np.abs(out - expected).max()))
        if not off[-1] <= most:
            return "off", f"{engine} by {off[-1]:.2g}"
    return "equal", " ".join(f"{one:.1e}" for one in off)


def main(words):
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for name in networks.NETWORKS:
            for exporter in ("old", "dynamo"):
                for opset in OPSETS:
                    for is_open in (False, True):
                        label = f"{name} {exporter} {opset} {'open' if is_open else 'fixed'}"
                        if not all(word in label.split() for word in words):
                            continue
                        # The new exporter writes opset 18 and converts, the old one knows those up to 20.
                        if exporter == "dynamo" and opset < 18 or exporter == "old" and opset > 20:
                            continue
                        outcome, why = row(folder, name, exporter, opset, is_open)
                        counts[outcome] += 1
                        print(f"{outcome:10} {label:40} {why}", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main(sys.argv[1:])
