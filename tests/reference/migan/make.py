"""Makes `photo.png`, `mask.png` and `expected.png` beside this file: MI-GAN's published arithmetic on one photo, with the weights
that the page ships. The tests need only the pictures.

    python tests/reference/migan/make.py

The photo is a part of a sample in few colours, which makes it small and the same for every decoder.
"""

import os
import sys

import numpy as np
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "networks"))

from published import MiGan  # noqa: E402

SIDE = 512


def photo():
    sample = Image.open(os.path.join(ROOT, "www", "samples", "montStMichel.jpg")).convert("RGB")
    left, top = (sample.width - SIDE) // 2, (sample.height - SIDE) // 2
    return sample.crop((left, top, left + SIDE, top + SIDE)).quantize(24, dither=Image.Dither.NONE)


def mask():
    """White is the hole: two strokes that cross."""
    picture = Image.new("1", (SIDE, SIDE))
    draw = ImageDraw.Draw(picture)
    draw.line([(200, 190), (310, 300)], fill=1, width=44)
    draw.ellipse([210, 250, 270, 330], fill=1)
    return picture


def network():
    net = MiGan(SIDE, 32768, 512)
    weights = {key: value.float() for key, value in load_file(os.path.join(ROOT, "www", "models", "migan-512.safetensors")).items()}
    missing, unexpected = net.load_state_dict(weights, strict=False)
    fixed = (".filter.weight", ".filter_const", ".noise_strength")
    assert not unexpected and all(key.endswith(fixed) for key in missing), (missing, unexpected)
    for layer in net.modules():
        if getattr(layer, "noisy", False):
            layer.noise_strength.data.fill_(1)  # the maps hold the product
    return net.eval()


def fill(rgb, hole):
    """As the authors' demo does: [known - 0.5, rgb * known] in, the hole's pixels out."""
    x = torch.tensor(rgb).permute(2, 0, 1)[None].float() / 255 * 2 - 1
    known = 1 - torch.tensor(hole)[None, None].float()
    with torch.no_grad():
        y = network()(torch.cat([known - 0.5, x * known], 1))
    composite = x * known + y * (1 - known)
    return (composite * 0.5 + 0.5).mul(255).round().clamp(0, 255).byte()[0].permute(1, 2, 0).numpy()


def main():
    picture, hole = photo(), mask()
    picture.save(os.path.join(HERE, "photo.png"), optimize=True)
    hole.save(os.path.join(HERE, "mask.png"), optimize=True)
    filled = fill(np.asarray(picture.convert("RGB")), np.asarray(hole))
    Image.fromarray(filled).crop(hole.getbbox()).save(os.path.join(HERE, "expected.png"), optimize=True)
    print(hole.getbbox())


if __name__ == "__main__":
    main()
