"""The held-out photos and their fixed masks, written once as PNG files."""
import glob
import math
import os
import random

import numpy as np
from PIL import Image, ImageDraw

HELD_OUT_EVERY = 20
CLASSES = ("stroke", "object", "large")


def held_out(folder):
    """Every 20th photo of the sorted list: never trained on."""
    files = sorted(f for end in ("jpg", "jpeg", "png") for f in glob.glob(os.path.join(folder, f"*.{end}")))
    if not files:
        raise SystemExit(f"{folder} holds no .jpg, .jpeg or .png files: pass the folder of photos with --photos.")
    return files[::HELD_OUT_EVERY]


def load(path, long_side):
    """RGB; reduced to `long_side`, or at its own size if that is None. Smaller photos stay as they are."""
    image = Image.open(path).convert("RGB")
    scale = (long_side or math.inf) / max(image.size)
    if scale >= 1:
        return image
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.LANCZOS)


def strokes(draw, width, height, rng):
    """Two or three lines as a hand draws them, 2 % of the short side wide: wires, scratches."""
    short = min(width, height)
    thick = max(3, round(short * 0.02))
    for _ in range(rng.randint(2, 3)):
        x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height
        heading = rng.uniform(0, 2 * math.pi)
        for _ in range(14):
            heading += rng.gauss(0, 0.25)
            nx, ny = x + 0.04 * short * math.cos(heading), y + 0.04 * short * math.sin(heading)
            draw.line((x, y, nx, ny), fill=255, width=thick)
            draw.ellipse((nx - thick / 2, ny - thick / 2, nx + thick / 2, ny + thick / 2), fill=255)
            x, y = nx, ny


def shape(draw, width, height, half, rng):
    """One rounded outline, `half` times the short side as half axis, give or take a quarter; inside the photo."""
    short = min(width, height)
    rx, ry = (short * half * rng.uniform(0.8, 1.25) for _ in range(2))
    waves = [(k, rng.uniform(0, 0.25) / k, rng.uniform(0, 2 * math.pi)) for k in range(2, 6)]
    angles = [2 * math.pi * i / 180 for i in range(180)]
    radius = [1 + sum(w * math.cos(k * a + p) for k, w, p in waves) for a in angles]
    points = [(rx * r * math.cos(a), ry * r * math.sin(a)) for a, r in zip(angles, radius)]
    reach = [max(abs(p[axis]) for p in points) + 0.03 * short for axis in (0, 1)]
    middle = [rng.uniform(min(r, size / 2), max(size - r, size / 2)) for r, size in zip(reach, (width, height))]
    draw.polygon([(middle[0] + x, middle[1] + y) for x, y in points], fill=255)


def mask(name, kind, size):
    """The fixed mask of a photo, class and size; white is to be filled. Half axes: object 1/9, large 1/5."""
    rng = random.Random(f"{name} {kind}")
    picture = Image.new("L", size)
    draw = ImageDraw.Draw(picture)
    if kind == "stroke":
        strokes(draw, *size, rng)
    else:
        shape(draw, *size, 1 / 9 if kind == "object" else 1 / 5, rng)
    return picture


class Scene:
    """One photo at one size with one mask."""

    def __init__(self, folder, path, long_side, kind):
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.kind = kind
        self.set = "native" if long_side is None else str(long_side)
        self.folder = os.path.join(folder, self.set, f"{self.name}-{kind}")
        os.makedirs(self.folder, exist_ok=True)
        self.photo, self.mask, self.broken = (os.path.join(self.folder, f"{n}.png") for n in ("photo", "mask", "broken"))
        if not os.path.exists(self.broken):
            image = load(path, long_side)
            image.save(self.photo, compress_level=1)
            hole = mask(self.name, kind, image.size)
            hole.save(self.mask)
            # What programs get: the hole is gray, so nobody can peek.
            image.paste((128, 128, 128), (0, 0), hole)
            image.save(self.broken, compress_level=1)

    def output(self, row):
        return os.path.join(self.folder, f"{row}.png")

    def truth(self):
        return np.asarray(Image.open(self.photo))

    def hole(self):
        return np.asarray(Image.open(self.mask)) > 127
