"""PyTorch's side of `cargo xtask bench`: builds a network from its description and runs it when asked.

One JSON object a line on stdin, one answer a line on stdout. Both memory formats are tried while opening, and the
faster one is kept.
"""

import json
import struct
import sys
import time

import numpy as np
import torch
from torch import nn


def safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = np.frombuffer(file.read(), dtype=np.float32)
    tensors = {}
    for key, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[key] = torch.from_numpy(data[begin // 4 : end // 4].copy()).reshape(entry["shape"])
    return tensors


def layer(op, a):
    """The nn.Module of a node, or a function of its inputs."""
    if op == "BatchNorm2d" and a.pop("statistics", "stored") == "picture":
        return nn.BatchNorm2d(**a, track_running_stats=False)
    if op in ("Conv2d", "ConvTranspose2d", "BatchNorm2d", "InstanceNorm2d"):
        return getattr(nn, op)(**{key: tuple(value) if isinstance(value, list) else value for key, value in a.items()})
    if op == "LeakyReLU":
        return nn.LeakyReLU(a["negative_slope"])
    if op in ("ReLU", "Sigmoid", "Tanh"):
        return getattr(nn, op)()
    if op.endswith("Pad2d"):
        return getattr(nn, op)((a["left"], a["right"], a["top"], a["bottom"]))
    if op == "Upsample":
        mode, _, aligned = a["mode"].partition("_")
        return nn.Upsample(scale_factor=a["scale_factor"], mode=mode, **({"align_corners": True} if aligned else {}))
    return {
        "cat": lambda *x: torch.cat(x, dim=1),
        "add": lambda x, y: x + y,
        "mul": lambda x, y: x * y,
        "clamp": lambda x: x.clamp(a["low"], a["high"]),
        "rfft2": rfft2,
        "irfft2": irfft2,
        "standardize": lambda x: standardized(x, a["eps"]),
        "affine": lambda x: x * a["scale"] + a["offset"],
    }[op]


def rfft2(x):
    """Real and imaginary parts as channels, as LaMa's own code stacks them."""
    spectrum = torch.fft.rfftn(x, dim=(-2, -1), norm="ortho")
    stacked = torch.stack((spectrum.real, spectrum.imag), dim=-1).permute(0, 1, 4, 2, 3).contiguous()
    return stacked.view((x.shape[0], -1) + stacked.shape[3:])


def irfft2(x, like):
    x = x.view((x.shape[0], -1, 2) + x.shape[2:]).permute(0, 1, 3, 4, 2).contiguous()
    return torch.fft.irfftn(torch.complex(x[..., 0], x[..., 1]), s=like.shape[-2:], dim=(-2, -1), norm="ortho")


def standardized(x, eps):
    return (x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + eps)


class Network(nn.Module):
    def __init__(self, description, weights):
        super().__init__()
        self.description = description
        self.layers = {}
        for index, node in enumerate(description["nodes"]):
            if node["op"] == "input":
                continue
            if node["op"] == "parameter":
                stored = weights[node["path"]]
                self.layers[index] = lambda stored=stored: stored
                continue
            built = layer(node["op"], node["arguments"])
            if isinstance(built, nn.Module):
                prefix = node["path"] + "."
                own = {k[len(prefix) :]: v for k, v in weights.items() if k.startswith(prefix) and "." not in k[len(prefix) :]}
                if own:
                    missing, unexpected = built.load_state_dict(own, strict=False)
                    statistics = {"running_mean", "running_var", "num_batches_tracked"}
                    assert set(unexpected) <= statistics and set(missing) <= {"num_batches_tracked"}, (missing, unexpected)
                self.add_module(str(index), built)
            self.layers[index] = built

    def forward(self, *inputs):
        inputs = iter(inputs)
        values = []
        for index, node in enumerate(self.description["nodes"]):
            if node["op"] == "input":
                values.append(next(inputs))
            else:
                values.append(self.layers[index](*(values[i] for i in node["inputs"])))
        return values[self.description["output"]]


def timed(network, inputs):
    began = time.perf_counter()
    output = network(*inputs)
    return (time.perf_counter() - began) * 1000, output


@torch.inference_mode()
def main():
    network, inputs, output, path, notes = None, [], None, "", ""
    for line in sys.stdin:
        request = json.loads(line)
        if "description" in request:
            torch.set_num_threads(request["threads"])
            began = time.perf_counter()
            with open(request["description"]) as file:
                network = Network(json.load(file), safetensors(request["weights"])).eval()
            load_ms = (time.perf_counter() - began) * 1000
            path = request["output"]
            inputs = [torch.from_numpy(np.fromfile(i["file"], dtype=np.float32)).reshape(i["shape"]) for i in request["inputs"]]
            # Not a timing that is reported: it chooses the memory format that PyTorch is better at.
            best = {}
            for name, form in (("contiguous", torch.contiguous_format), ("channels_last", torch.channels_last)):
                network = network.to(memory_format=form)
                given = [x.contiguous(memory_format=form) for x in inputs]
                best[name] = min(timed(network, given)[0] for _ in range(3)), form
            notes, (_, form) = min(best.items(), key=lambda item: item[1][0])
            network = network.to(memory_format=form)
            inputs = [x.contiguous(memory_format=form) for x in inputs]
            answer = {"load_ms": load_ms, "opening_ms": load_ms, "bytes": 0, "simd": torch.backends.cpu.get_cpu_capability().lower()}
        elif "run" in request:
            ms, output = timed(network, inputs)
            answer = {"ms": ms, "bytes": 0, "report": None, "notes": f"torch {torch.__version__}, {notes}"}
        else:
            output.contiguous().numpy().tofile(path)
            answer = {}
        print(json.dumps(answer), flush=True)


main()
