"""Files of every kind that people hold, what infill says of each, and every line of Python that it shows, run as it is.

    python tests/differential/diagnosis.py [--infill target/debug/infill] [--verbose]

Makes small files with PyTorch, NumPy and by hand, asks `infill inspect` for its diagnosis, and checks that it names what
`CASES` say. Every line between backticks that begins with `import` or `from` is then executed in the file's folder: one that
loads weights into `net` must load the values that were saved, and one that saves a file must save one that infill reads.
Not run by the test suite; the result is told in `docs/checkpoints.md`.

Needs torch, numpy and safetensors.
"""

import argparse
import collections
import json
import os
import pickle
import re
import struct
import subprocess
import sys
import tempfile
import textwrap
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
NETWORKS = os.path.join(HERE, "..", "reference", "networks")
CODE = re.compile(r"`((?:import|from) [^`]*)`")
MODULE = textwrap.dedent("""
    import torch

    class Config(dict):
        pass

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Conv2d(4, 3, 3))

        def forward(self, x):
            return self.model(x)
""")
PERSISTENCE = textwrap.dedent("""
    import torch

    class Generator(torch.nn.Conv2d):
        def __reduce__(self):
            return _reconstruct_persistent_obj, (dict(module_src='import torch_utils', state=self.state_dict()),)

    def _reconstruct_persistent_obj(meta):
        net = Generator(3, 4, 3)
        net.load_state_dict(meta['state'])
        return net
""")


class Recorder:
    """Stands for the user's network: remembers what is loaded into it."""

    def load_state_dict(self, weights, strict=True):
        self.weights = dict(weights)


def prefixed(weights, prefix):
    return collections.OrderedDict((prefix + key, value) for key, value in weights.items())


def inner(weights, word, at=1):
    """The same keys with a wrapper's name behind the first parts of each."""
    def name(key):
        parts = key.split(".")
        return ".".join(parts[:at] + [word] + parts[at:])
    return collections.OrderedDict((name(key), value) for key, value in weights.items())


def zeros(weights):
    return collections.OrderedDict((key, torch.zeros_like(value)) for key, value in weights.items())


def zipped(path, entries):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


class Files:
    """Makes every file in a folder; `cases` holds for each its name, what must be said of it, and the weights in it."""

    def __init__(self, folder):
        self.folder, self.cases = folder, []
        os.chdir(folder)
        sys.path.insert(0, folder)
        os.mkdir("torch_utils")
        for path, text in [("somewhere.py", MODULE), ("torch_utils/__init__.py", ""), ("torch_utils/persistence.py", PERSISTENCE)]:
            with open(path, "w") as file:
                file.write(text)
        torch.manual_seed(1)
        load = lambda name: torch.load(os.path.join(NETWORKS, name), weights_only=True)
        # The fixture is {'iteration', 'generator'} with `module.` before every key.
        wrapped = load("context-encoder.pth")["generator"]
        self.net = collections.OrderedDict((key.removeprefix("module."), value) for key, value in wrapped.items())
        self.pair, self.scores = load("image-pair.pth"), load("image-pair-discriminator.pth")
        self.pair = self.pair.get("generator", self.pair)
        self.scores = self.scores.get("discriminator", self.scores)

    def case(self, name, says, weights=None, never=(), options=()):
        self.cases.append((name, [says] if isinstance(says, str) else says, weights, never, options))

    def save(self, name, value, says, weights=None, never=(), options=(), **how):
        with open(name, "wb") as file:
            torch.save(value, file, **how)
        self.case(name, says, weights, never, options)

    def raw(self, name, data, says, **more):
        with open(name, "wb") as file:
            file.write(data)
        self.case(name, says, **more)

    def wrappers(self):
        net = self.net
        self.save("generator.pth", {"iteration": 3, "generator": net}, "under ['generator']: unwrapped for you", net)
        self.save("it's \\ quoted.pth", {"it's \\ \"x\"": net}, "unwrapped for you", net)
        self.save("list.pth", [net, 3], "under [0]", net)
        self.save("nested.pth", {"a": [{"model": net}]}, "under ['a'][0]['model']", net)
        self.save("legacy.pth", {"model": net}, "under ['model']", net, _use_new_zipfile_serialization=False)
        import somewhere
        self.save("foreign.ckpt", {"state_dict": prefixed(net, "generator."), "hyper_parameters": somewhere.Config(a=1)},
                  ["classes of somewhere", "Every key began with generator."], net)
        both = {"generator": self.pair, "discriminator": self.scores}
        self.save("both.pth", both, ["under ['generator']: unwrapped for you", "also holds", "under ['discriminator']"], [self.pair, self.scores],
                  never=["['discriminator']: unwrapped for you"])
        lightning = {"state_dict": {**prefixed(self.pair, "generator."), **prefixed(self.scores, "discriminator."), "loss.weight": torch.ones(2)}}
        self.save("lightning.ckpt", lightning, ["Every key of this network began with generator.", "also holds weights of no network"], [self.pair, self.scores])

    def prefixes(self):
        net = self.net
        self.save("parallel.pth", prefixed(net, "module."), "DataParallel or DistributedDataParallel", net)
        self.save("compiled.pth", prefixed(net, "_orig_mod."), "torch.compile", net)
        self.save("compiled-parallel.pth", prefixed(net, "_orig_mod.module."), ["torch.compile", "DataParallel"], net)
        self.save("fsdp.pth", prefixed(net, "_fsdp_wrapped_module."), "FSDP", net, never=["DataParallel or"])
        averaged = torch.optim.swa_utils.AveragedModel(torch.nn.Module())
        swa = {"n_averaged": averaged.state_dict()["n_averaged"], **prefixed(net, "module.")}
        self.save("swa.pth", swa, "AveragedModel", net, never=["DataParallel"])
        for word, cause in [("_orig_mod", "torch.compile"), ("module", "DataParallel"), ("_fsdp_wrapped_module", "FSDP"), ("_checkpoint_wrapped_module", "activation checkpointing")]:
            self.save(f"inner{word}.pth", {"model": inner(net, word)}, ["Within the keys stands " + word, cause], net)
        mixed = collections.OrderedDict()
        for key, value in net.items():
            head, rest = key.split(".", 1)
            mixed[f"module.{head}._orig_mod._fsdp_wrapped_module.{rest}" if head == "encoder" else f"module.{key}"] = value
        self.save("inner-mixed.pth", mixed, ["Within the keys stands _fsdp_wrapped_module, _orig_mod", "Every key began with module."], net)
        shift = collections.OrderedDict((f"model.model.{i}.weight", torch.randn(2, 2)) for i in range(4))
        self.save("shift-net.pth", shift, "They begin with model.model.0.weight", never=["stripped"])
        self.save("module-of-nobody.pth", prefixed(shift, "module."), "Every key began with module.: stripped", shift)
        dcgan = {"main.0.weight": torch.randn(100, 512, 4, 4), "main.1.weight": torch.randn(512), "main.3.weight": torch.randn(512, 256, 4, 4)}
        self.save("dcgan.pth", dcgan, "No network that infill knows", never=["Pathak", "MI-GAN"])

    def averaged(self):
        net, plain = self.net, zeros(self.net)
        for a, b in [("state_dict", "state_dict_ema"), ("params", "params_ema"), ("generator", "generator_ema"), ("G", "G_ema"), ("model", "ema_model"), ("net", "ema")]:
            self.save(f"ema-{a}-{b}.pth", {a: plain, b: net}, ["averaged over the training (EMA)", f"under ['{b}']", "--no-ema"], net)
        self.save("no-ema.pth", {"params": net, "params_ema": plain}, "The plain ones are taken, as you chose", net, options=["--no-ema"])
        lightning = {"state_dict": {**prefixed(plain, "model."), **prefixed(net, "ema_model."), "initted": torch.tensor(True)}}
        self.save("ema-prefix.ckpt", lightning, "averaged over the training (EMA)", net)
        parameters = {key: value for key, value in plain.items() if "running_" not in key and "num_batches" not in key}
        self.save("ema-parameters.pth", {"model": net, "ema": parameters}, "which lacks", net)

    def modules(self):
        import somewhere
        net = somewhere.Net().eval()
        weights = net.state_dict()
        self.save("module.pth", net, ["A whole module was pickled", "classes of somewhere"], weights)
        self.save("module-within.pth", {"net": torch.nn.DataParallel(net)}, ["A whole module was pickled under ['net']", "DataParallel"], weights)
        torch.jit.script(net).save("scripted.pt")
        self.case("scripted.pt", "TorchScript program", weights)
        torch.jit.trace(net, torch.randn(1, 3, 8, 8)).save("traced.pt")
        self.case("traced.pt", "TorchScript program", weights)
        try:
            torch.export.save(torch.export.export(net, (torch.randn(1, 3, 8, 8),)), "exported.pt2")
            self.case("exported.pt2", "exported program (torch.export, .pt2)")
        except Exception as error:
            print("torch.export is left out:", error)

    def norms(self):
        edge = torch.load(os.path.join(NETWORKS, "edgeconnect-edge.pth"), weights_only=True)
        edge = edge.get("generator", edge)
        edge = collections.OrderedDict((key.removeprefix("module."), value) for key, value in edge.items())
        before = collections.OrderedDict()
        for key, value in edge.items():
            if key.endswith("weight_orig"):
                stem = key[: -len("_orig")]
                matrix = value.transpose(0, 1) if stem.startswith("decoder") and value.dim() == 4 and edge[stem + "_u"].numel() == value.shape[1] else value
                sigma = edge[stem + "_u"] @ matrix.reshape(matrix.shape[0], -1) @ edge[stem + "_v"]
                before[key], before[stem] = value, value / sigma
            elif not key.endswith("weight_v"):
                before[key] = value
        self.save("spectral-before-1.0.pth", {"generator": before}, ["spectral norm as before PyTorch 1.0", "All "], before)

    def shards(self):
        keys = list(self.net)
        parts = [keys[: len(keys) // 2], keys[len(keys) // 2:]]
        for stem, ending, save in [("model", "safetensors", save_file), ("pytorch_model", "bin", torch.save)]:
            index = {"metadata": {"total_size": 1}, "weight_map": {}}
            for number, part in enumerate(parts, 1):
                name = f"{stem}-0000{number}-of-00002.{ending}"
                save({"model." + key: self.net[key].contiguous() for key in part}, name)
                index["weight_map"].update({"model." + key: name for key in part})
            with open(f"{stem}.{ending}.index.json", "w") as file:
                json.dump(index, file)
            self.case(f"{stem}.{ending}.index.json", "All ", self.net)
            self.case(f"{stem}-00001-of-00002.{ending}", ["part 1 of 2 of a network", f"{stem}.{ending}.index.json"])
        index["weight_map"]["model.other"] = "pytorch_model-00001-of-00002.bin"
        with open("lacking.bin.index.json", "w") as file:
            json.dump(index, file)
        self.case("lacking.bin.index.json", "model.other, which is not in pytorch_model-00001-of-00002.bin")

    def pickles(self):
        net = self.net
        arrays = {key: value.numpy() for key, value in net.items()}
        large = {**arrays, "encoder.big": np.zeros(12_000_000, np.float32)}
        self.save("arrays.pth", {"state_dict": arrays, "epoch": 3}, "weights are NumPy arrays")
        self.save("large-arrays.pth", {"state_dict": large}, "weights are NumPy arrays")
        for name, value, says in [("tensors.pkl", dict(net), "pickle of tensors, written by pickle.dump"), ("paddle.pdparams", arrays, "pickle of NumPy arrays")]:
            with open(name, "wb") as file:
                pickle.dump(value, file)
            self.case(name, says)
        from torch_utils import persistence
        with open("stylegan.pkl", "wb") as file:
            pickle.dump({"G": persistence.Generator(3, 4, 3), "D": None, "G_ema": persistence.Generator(3, 4, 3)}, file)
        self.case("stylegan.pkl", "pickled NVIDIA network")
        self.raw("stylegan-tf.pkl", b"\x80\x03cdnnlib.tflib.network\nNetwork\nq\x00)\x81q\x01.", "TensorFlow code (dnnlib")
        self.raw("plain.pkl", pickle.dumps({"a": 1}), "plain pickle")
        with zipfile.ZipFile("generator.pth") as archive:
            data = [archive.read(name) for name in archive.namelist() if name.endswith("data.pkl")][0]
        self.raw("data.pkl", data, "the data.pkl out of a PyTorch checkpoint")
        np.savez("numpy.npz", **arrays)
        self.case("numpy.npz", "NumPy arrays (.npz)")
        np.save("array.npy", arrays["encoder.0.weight"])
        self.case("array.npy", "one NumPy array")

    def others(self):
        self.raw("net.gguf", b"GGUF\x03\0\0\0" + b"\0" * 60, "GGUF file")
        self.raw("net.tflite", b"\x1c\0\0\0TFL3" + b"\0" * 60, "TensorFlow Lite")
        self.raw("net.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 60, "HDF5 file, as Keras writes")
        zipped("net.keras", {"metadata.json": "{}", "config.json": "{}", "model.weights.h5": b"\x89HDF"})
        self.case("net.keras", "Keras model (.keras)")
        zipped("two.zip", {"weights/gen.pth": b"x" * 9, "weights/dis.pth": b"y" * 9})
        self.case("two.zip", "archive of files with weights (gen.pth, dis.pth)")
        self.raw("saved_model.pb", b"\x08\x01\x12\x20" + b"\0" * 60, "TensorFlow SavedModel")
        self.raw("frozen.pb", b"\x0a\x10\x0a\x01x\x12\x0bPlaceholder", "TensorFlow graph (.pb)")
        self.raw("model.ckpt.meta", b"\x0a\x0c\x12\x0a\x0a\x08\x0a\x03Add\x12\x01x", "without its weights (.meta)")
        self.raw("model.ckpt.index", b"\0" * 40 + bytes.fromhex("57fb808b247547db"), "index of a TensorFlow checkpoint")
        self.raw("model.ckpt.data-00000-of-00001", np.random.default_rng(1).normal(size=500).astype("<f4").tobytes(), "bare numbers without names")
        self.raw("checkpoint", b'model_checkpoint_path: "model.ckpt"\n', "TensorFlow's list of checkpoints")
        self.raw("lfs.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "Git LFS pointer")
        self.raw("page.pth", b"<!DOCTYPE html><html>Sign in</html>", "web page")
        self.raw("error.pth", b'{"error": "Repository not found"}', "JSON that begins")
        self.raw("entry.pth", b"Entry not found", 'text that begins "Entry not found"')
        self.raw("photo.heic", b"\0\0\0\x18ftypheic" + b"\0" * 60, "AVIF or HEIC")
        self.raw("photo.psd", b"8BPS\0\x01" + b"\0" * 60, "Photoshop")
        self.raw("net.t7", struct.pack("<iii", 4, 1, 3) + b"V 1" + b"\0" * 40, "Lua Torch")

    def all(self):
        for make in [self.wrappers, self.prefixes, self.averaged, self.modules, self.norms, self.shards, self.pickles, self.others]:
            make()
        return self.cases


def said(infill, name, options):
    out = subprocess.run([infill, "inspect", name, "--json", *options], capture_output=True, text=True)
    report = json.loads(out.stdout)
    if "error" in report:
        return [report["error"]["message"]]
    return [network["why"] for network in report["networks"]] + [finding["message"] for finding in report["findings"]]


def run(infill, code, wanted):
    """Executes a line; what is wrong with what it did, or None."""
    net = Recorder()
    before = set(os.listdir("."))
    code = code.replace("net = InpaintGenerator();", "").replace("net = EdgeGenerator();", "")
    exec(code, {"net": net})
    if "load_state_dict" in code:
        if wanted is None:
            return None
        for weights in wanted if isinstance(wanted, list) else [wanted]:
            if set(net.weights) == set(weights) and all(torch.equal(net.weights[key], value) for key, value in weights.items()):
                return None
        return "it loads other weights than were saved"
    made = [name for name in os.listdir(".") if name not in before]
    if not made:
        return "it makes no file"
    out = subprocess.run([infill, "inspect", made[0], "--json"], capture_output=True, text=True)
    return None if out.returncode == 0 else f"infill does not read {made[0]}: {out.stderr}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--infill", default="target/debug/infill")
    parser.add_argument("--verbose", action="store_true", help="print what is said of each file")
    options = parser.parse_args()
    infill = os.path.abspath(options.infill)
    counts, faults = collections.Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        cases = Files(folder).all()
        for name, says, wanted, never, more in cases:
            counts["files"] += 1
            messages = said(infill, name, more)
            text = "\n".join(messages)
            if options.verbose:
                print(f"== {name}\n{text}")
            faults += [f"{name}: does not say {part!r}" for part in says if part not in text]
            faults += [f"{name}: says {part!r}" for part in never if part in text]
            lines = sum((CODE.findall(message) for message in messages), [])
            loads = [line for line in lines if "load_state_dict" in line]
            if wanted is not None and not loads:
                counts["files without a line that loads them"] += 1
                print(f"{name}: no line of Python")
            for line in lines:
                counts["lines of Python"] += 1
                try:
                    fault = run(infill, line, wanted)
                except Exception as error:
                    fault = f"{type(error).__name__}: {error}"
                if fault:
                    faults.append(f"{name}: `{line}`: {fault}")
    print(dict(counts))
    print("\n".join(faults) or "every file is named, and every line works")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
