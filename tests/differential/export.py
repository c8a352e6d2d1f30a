"""Every network that infill knows, exported and run elsewhere: the numbers must be infill's.

    python tests/differential/export.py [--infill target/debug/infill] [--full] [FILE...]

Takes the checkpoints of `tests/reference/networks` (all architectures of the registry, made by PyTorch with random weights,
at small widths), or with `--full` every network at its published size with random weights (`cargo run --release --example
describe` says its keys). Each is written by `infill export` as plain weights, as a PyTorch class and as ONNX. The class loads
the plain weights with strict=True, runs in PyTorch, and its docstring's lines are executed as they are; the graph runs in
onnxruntime. Both are held against `infill forward`: at most 1e-4 apart. Not run by the test suite; the result is told in
`docs/exporting.md`.

Needs torch, safetensors, numpy, onnxruntime; `onnx`, if it is there, checks the graphs.
"""

import argparse
import glob
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap

import numpy as np
import onnxruntime
import torch
from safetensors.torch import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOLERANCE = 1e-4


def call(*arguments, **more):
    out = subprocess.run(arguments, capture_output=True, text=True, **more)
    if out.returncode:
        raise RuntimeError(f"{' '.join(arguments[1:])}: {out.stderr.strip()[:300]}")
    return out.stdout


def networks(infill, file):
    """The networks of a file: id, side that it runs at, channels of its inputs."""
    report = json.loads(call(infill, "inspect", file, "--json"))
    for network in report["networks"]:
        if network["confidence"] == 1 or network["id"]:
            conventions = network["conventions"]
            fixed, multiple = conventions["fixed"], conventions["multiple"]
            side = conventions["preferred"] if fixed else max(multiple, -(-64 // multiple) * multiple)
            yield network["id"], side


def module(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    classes = [value for name, value in vars(found).items() if isinstance(value, type) and issubclass(value, torch.nn.Module) and name != "Group"]
    return found, classes[-1]


def inputs_of(session, side):
    generator = torch.Generator().manual_seed(3)
    made = {}
    for declared in session.get_inputs():
        x = torch.rand(1, declared.shape[1], side, side, generator=generator)
        # One channel by itself is a mask.
        made[declared.name] = (x > 0.5).float() if declared.shape[1] == 1 else x
    return made


def differences(infill, folder, file, network, side):
    """How far PyTorch and onnxruntime are from infill, by what was run."""
    base = [infill, "export", file, "--model", network]
    for ending in ("safetensors", "py"):
        call(*base, "--output", f"net.{ending}", cwd=folder)
    call(*base, "--output", "net.onnx", "--side", str(side), cwd=folder)
    session = onnxruntime.InferenceSession(f"{folder}/net.onnx", providers=["CPUExecutionProvider"])
    x = inputs_of(session, side)
    tensors = list(x.values())
    save_file({"x": tensors[0]} if len(tensors) == 1 else {f"x{i}": t for i, t in enumerate(tensors, 1)}, f"{folder}/in.safetensors")
    call(infill, "forward", "--weights", file, "--model", network, "--input", "in.safetensors", "--output", "out.safetensors", cwd=folder)
    wanted = load_file(f"{folder}/out.safetensors")["y"]
    found, kind = module(f"{folder}/net.py")
    net = kind().eval()
    net.load_state_dict(load_file(f"{folder}/net.safetensors"), strict=True)
    result = {}
    with torch.no_grad():
        result["PyTorch"] = float((net(*tensors) - wanted).abs().max())
        # The lines of the docstring.
        again = kind()
        lines = textwrap.dedent(found.__doc__.split("\n", 1)[1]).strip()
        lines = "\n".join(line for line in lines.splitlines() if not re.match(r"net = \w+\(\)$", line))
        here = os.getcwd()
        os.chdir(folder)
        try:
            exec(lines, {"net": again})
        finally:
            os.chdir(here)
        result["as told"] = float((again(*tensors) - wanted).abs().max())
    y = session.run(None, {name: value.numpy() for name, value in x.items()})[0]
    result["onnxruntime"] = float(np.abs(y - wanted.numpy()).max()) if y.shape == tuple(wanted.shape) else float("inf")
    try:
        import onnx
        onnx.checker.check_model(onnx.load(f"{folder}/net.onnx"), full_check=True)
    except ImportError:
        pass
    result["largest value"] = float(wanted.abs().max())
    return result


def described(folder):
    """A file of random weights for every network as published."""
    text = call("cargo", "run", "--quiet", "--release", "--example", "describe", cwd=ROOT)
    generator = torch.Generator().manual_seed(4)
    for model in json.loads(text)["models"]:
        weights = {}
        for parameter in model["network"]["parameters"]:
            key, shape = parameter["key"], parameter["shape"]
            if parameter["values"]:
                weights[key] = torch.tensor(parameter["values"]).view(shape)
            elif parameter["kind"] == "counter":
                weights[key] = torch.tensor(0)
            elif key.endswith("running_var") or (key.endswith("weight") and len(shape) == 1):
                weights[key] = torch.rand(shape, generator=generator) + 0.5
            else:
                fan = max(1, int(np.prod(shape[1:]))) if len(shape) > 1 else 100
                weights[key] = torch.randn(shape, generator=generator) * (1.0 / fan) ** 0.5
        path = f"{folder}/{model['id']}.safetensors"
        save_file(weights, path)
        yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--infill", default="target/debug/infill")
    parser.add_argument("--full", action="store_true", help="every network at its published size")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    infill, faults, rows = os.path.abspath(options.infill), [], 0
    with tempfile.TemporaryDirectory() as weights:
        files = [os.path.abspath(file) for file in options.files]
        if options.full:
            files = list(described(weights))
        elif not files:
            files = sorted(sum((glob.glob(f"{ROOT}/tests/reference/networks/*.{ending}") for ending in ("pth", "pt", "ckpt")), []))
            files.append(f"{ROOT}/train/starter.safetensors")
        for file in files:
            for network, side in networks(infill, file):
                name = f"{os.path.basename(file)} ({network}, {side})"
                with tempfile.TemporaryDirectory() as folder:
                    shutil.copy(file, folder)
                    try:
                        result = differences(infill, folder, os.path.basename(file), network, side)
                    except Exception as error:
                        faults.append(f"{name}: {type(error).__name__}: {error}")
                        print(faults[-1], flush=True)
                        continue
                rows += 1
                print(f"{name}: " + ", ".join(f"{what} {value:.1e}" for what, value in result.items()), flush=True)
                if not all(value <= TOLERANCE for what, value in result.items() if what != "largest value"):
                    faults.append(f"{name} differs")
    print(f"{rows} networks; " + ("; ".join(faults) or f"all within {TOLERANCE}"))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
