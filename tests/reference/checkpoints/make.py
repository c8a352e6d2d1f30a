"""Checkpoints in every form that PyTorch writes, with the values they hold: python tests/reference/checkpoints/make.py

`expected.json` gives, per file, the container, wrapper, prefix, and per key shape, dtype and values.
"""

import argparse
import collections
import io
import json
import os
import pathlib
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(3)


def tensors():
    base = torch.arange(24, dtype=torch.float32) / 7
    return collections.OrderedDict([
        ("f32", torch.randn(2, 3)), ("f64", torch.randn(3, dtype=torch.float64)), ("f16", torch.randn(4).half()),
        ("bf16", torch.randn(4).bfloat16()), ("i64", torch.tensor([1, -2, 3])), ("i32", torch.tensor([4, -5], dtype=torch.int32)),
        ("i16", torch.tensor([6, -7], dtype=torch.int16)), ("i8", torch.tensor([8, -9], dtype=torch.int8)),
        ("u8", torch.tensor([200, 1], dtype=torch.uint8)), ("bool", torch.tensor([True, False])),
        ("scalar", torch.tensor(2.5)), ("empty", torch.zeros(0, 3)), ("transposed", torch.randn(3, 4).t()),
        ("channels_last", torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)),
        ("offset", base[5:11].view(2, 3)), ("shared", base[::2]), ("expanded", torch.tensor([[1.5], [2.5]]).expand(2, 3)),
        ("parameter", torch.nn.Parameter(torch.randn(2, 2))),
    ])


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, 1)
        self.block = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.InstanceNorm2d(2))

    def forward(self, x):
        return self.conv(x)


def entry(t):
    return {"shape": list(t.shape), "dtype": str(t.dtype)[6:], "values": [float(v) for v in t.detach().double().reshape(-1)]}


rows = {}


def expect(name, container, sd, wrapper=(), prefix=""):
    rows[name] = {"container": container, "wrapper": list(wrapper), "prefix": prefix, "tensors": {k: entry(v) for k, v in sd.items()}}


def rezip(name, change, compression=zipfile.ZIP_STORED):
    """Rewrites an archive entry by entry."""
    path = f"{HERE}/{name}"
    with zipfile.ZipFile(path) as archive:
        entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w", compression) as archive:
        for filename, data in entries:
            archive.writestr(zipfile.ZipInfo(filename), change(filename, data), compression)


def legacy_tar(name, sd):
    """The layout of PyTorch before 0.1.10, which today's torch.load still reads (and here confirms)."""
    def described(number, *args):
        return pickle.dumps(args if number is None else number, protocol=2)
    storages, tensors, keys = io.BytesIO(), io.BytesIO(), {}
    roots = {t.untyped_storage().data_ptr(): t for t in sd.values()}
    storages.write(described(len(roots)))
    for pointer, t in roots.items():
        kind = getattr(torch, {torch.float32: "FloatStorage", torch.float64: "DoubleStorage", torch.int64: "LongStorage", torch.uint8: "ByteStorage"}[t.dtype])
        count = t.untyped_storage().nbytes() // t.element_size()
        storages.write(described(None, pointer, "cpu", kind))
        storages.write(struct.pack("<q", count) + bytes(t.untyped_storage()))
    storages.write(described([]))
    tensors.write(described(len(sd)))
    for number, (key, t) in enumerate(sd.items()):
        keys[id(t)] = str(1000 + number)
        tensors.write(described(None, 1000 + number, t.untyped_storage().data_ptr(), torch.FloatTensor))
        tensors.write(struct.pack("<ii", t.dim(), 0) + struct.pack(f"<{2 * t.dim() + 1}q", *t.shape, *t.stride(), t.storage_offset()))
    main = io.BytesIO()
    pickler = pickle.Pickler(main, protocol=2)
    pickler.persistent_id = lambda value: keys.get(id(value)) if isinstance(value, torch.Tensor) else None
    pickler.dump({"epoch": 3, "state_dict": sd})
    with tarfile.open(f"{HERE}/{name}", "w:", format=tarfile.PAX_FORMAT) as tar:
        for part, data in [("sys_info", described({"protocol_version": 1000, "little_endian": True})), ("pickle", main.getvalue()),
                           ("tensors", tensors.getvalue()), ("storages", storages.getvalue())]:
            info = tarfile.TarInfo(part)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    loaded = torch.load(f"{HERE}/{name}", weights_only=False)["state_dict"]
    assert all(torch.equal(loaded[key], value) for key, value in sd.items())
    expect(name, "tar", sd, ["state_dict"])


def main():
    sd = tensors()
    torch.save(sd, f"{HERE}/zip.pth")
    expect("zip.pth", "zip", sd)
    for protocol in [2, 3, 4, 5]:
        torch.save(sd, f"{HERE}/protocol{protocol}.pth", pickle_protocol=protocol)
        expect(f"protocol{protocol}.pth", "zip", sd)
    for protocol in [2, 3, 4]:
        torch.save(sd, f"{HERE}/legacy{protocol}.pth", pickle_protocol=protocol, _use_new_zipfile_serialization=False)
        expect(f"legacy{protocol}.pth", "legacy", sd)
    torch.save(sd, f"{HERE}/deflated.pth")
    rezip("deflated.pth", lambda name, data: data, zipfile.ZIP_DEFLATED)
    expect("deflated.pth", "zip", sd)

    swapped = collections.OrderedDict((k, v.detach().clone()) for k, v in sd.items() if v.dtype is not torch.bfloat16)
    torch.save(swapped, f"{HERE}/big-endian.pth")
    sizes = {}
    with zipfile.ZipFile(f"{HERE}/big-endian.pth") as archive:
        keys = [v for v in swapped.values()]
    for index, value in enumerate(keys):
        sizes[f"data/{index}"] = value.element_size()

    def swap(name, data):
        if name.endswith("byteorder"):
            return b"big"
        size = sizes.get("/".join(name.split("/")[-2:]), 1)
        return np.frombuffer(data, dtype=f"V{size}").tobytes() if size == 1 else np.frombuffer(data, f"u{size}").byteswap().tobytes()

    rezip("big-endian.pth", swap)
    expect("big-endian.pth", "zip", swapped)

    net = Net()
    plain = net.state_dict()
    prefixed = collections.OrderedDict(("module." + k, v) for k, v in plain.items())
    torch.save({"iteration": 5, "generator": prefixed}, f"{HERE}/edgeconnect-wrapper.pth")
    expect("edgeconnect-wrapper.pth", "zip", plain, ["generator"], "module.")
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(1, 2, 3, 3)).sum().backward()
    optimizer.step()
    torch.save({"epoch": 3, "optimizer": optimizer.state_dict(), "model_state_dict": plain, "args": argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("/x")),
                "np": np.float64(3.5), "array": np.arange(3)}, f"{HERE}/training.pth")
    expect("training.pth", "zip", plain, ["model_state_dict"])
    lightning = collections.OrderedDict([("generator." + k, v) for k, v in plain.items()])
    torch.save({"epoch": 1, "pytorch-lightning_version": "2.0", "state_dict": lightning, "callbacks": {"x": {"path": pathlib.PurePosixPath("y")}},
                "hyper_parameters": {"set": {1, 2}, "frozen": frozenset([3]), "complex": 1 + 2j}}, f"{HERE}/lightning.ckpt")
    expect("lightning.ckpt", "zip", plain, ["state_dict"], "generator.")
    torch.save({"params": {k: v * 0 for k, v in plain.items()}, "params_ema": plain}, f"{HERE}/ema.pth")
    expect("ema.pth", "zip", plain, ["params_ema"])
    Net.__module__ = "somewhere.models"
    import sys, types
    fake = types.ModuleType("somewhere.models")
    fake.Net = Net
    sys.modules["somewhere"], sys.modules["somewhere.models"] = types.ModuleType("somewhere"), fake
    torch.save(net, f"{HERE}/whole-module.pth")
    expect("whole-module.pth", "zip", {k: v for k, v in plain.items()})
    torch.save(net, f"{HERE}/whole-module-legacy.pth", _use_new_zipfile_serialization=False)
    expect("whole-module-legacy.pth", "legacy", {k: v for k, v in plain.items()})
    Net.__module__ = "__main__"
    torch.jit.script(net).save(f"{HERE}/scripted.pt")
    expect("scripted.pt", "torchscript", {k: v for k, v in plain.items()})
    dense = {k: v.detach().contiguous().clone() for k, v in sd.items() if k not in ("shared", "expanded")}
    save_file(dense, f"{HERE}/plain.safetensors", metadata={"note": "made by make.py"})
    expect("plain.safetensors", "safetensors", dense)
    # A view of four elements far apart; the same deflated.
    spread = torch.zeros(70_000, dtype=torch.uint8)
    spread[1::20_000] = torch.tensor([1, 2, 3, 4], dtype=torch.uint8)
    views = {"sparse": spread[1::20_000], "backwards": spread[1::20_000].view(2, 2).t()}
    torch.save(views, f"{HERE}/sparse.pth")
    expect("sparse.pth", "zip", views)
    torch.save(views, f"{HERE}/sparse-deflated.pth")
    rezip("sparse-deflated.pth", lambda name, data: data, zipfile.ZIP_DEFLATED)
    expect("sparse-deflated.pth", "zip", views)
    # A training state whose best loss is a tensor too.
    torch.save({"epoch": 7, "best": torch.tensor(0.25), "generator": plain, "discriminator": {"conv.0.weight": torch.ones(1, 2)}}, f"{HERE}/both.pth")
    expect("both.pth", "zip", plain, ["generator"])
    torch.save(sd, f"{HERE}/protocol1.pth", pickle_protocol=1)
    expect("protocol1.pth", "zip", sd)
    torch.save(sd, f"{HERE}/legacy1.pth", pickle_protocol=1, _use_new_zipfile_serialization=False)
    expect("legacy1.pth", "legacy", sd)
    base = torch.arange(12, dtype=torch.float32) / 5
    legacy_tar("tar.pth", collections.OrderedDict([
        ("conv.weight", torch.randn(2, 3, 2, 2)), ("conv.bias", torch.randn(2)), ("f64", torch.randn(3, dtype=torch.float64)),
        ("i64", torch.tensor([5, -6])), ("part", base[2:8].view(2, 3)), ("transposed", base.view(3, 4).t())]))
    few(plain)
    with open(f"{HERE}/expected.json", "w") as file:
        json.dump(rows, file)


def few(plain):
    """An averaged copy, a number that bears its name, tensors without a dict."""
    torch.save({"model": {k: v * 0 for k, v in plain.items()}, "ema": {"decay": 0.999, "module": plain}}, f"{HERE}/ema-of-model.pth")
    expect("ema-of-model.pth", "zip", plain, ["ema", "module"])
    torch.save({"model": plain, "ema": 0.999}, f"{HERE}/ema-number.pth")
    expect("ema-number.pth", "zip", plain, ["model"])
    lone = torch.arange(6, dtype=torch.float32).view(2, 3)
    torch.save(lone, f"{HERE}/lone.pth")
    expect("lone.pth", "zip", {"tensor": lone})
    torch.save([lone, lone.t()], f"{HERE}/list.pth")
    expect("list.pth", "zip", {"0": lone, "1": lone.t()})


if __name__ == "__main__":
    main()
