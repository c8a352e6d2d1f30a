"""Photos, crops and holes. Everything is a function of (seed, step): a resumed run sees what an unbroken one sees."""
import glob
import math
import os
import queue
import random
import threading

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFilter

HELD_OUT_EVERY = 20
LONG_SIDE = 1024


def split(folder):
    """(training files, held-out files): every 20th of the sorted list is never trained on."""
    files = sorted(glob.glob(os.path.join(folder, "*.jpg")))
    if len(files) < HELD_OUT_EVERY:
        raise SystemExit(f"{folder} holds {len(files)} .jpg files: pass the folder of photos with --photos.")
    held = files[::HELD_OUT_EVERY]
    return [f for f in files if f not in set(held)], held


def load(path):
    image = Image.open(path)
    image.draft("RGB", (LONG_SIDE, LONG_SIDE))
    image = image.convert("RGB")
    scale = LONG_SIDE / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.LANCZOS) if scale < 1 else image


def crop(image, side, rng):
    """A square at a log-uniform scale, from a quarter of the photo, or about one pixel per pixel, to all of it."""
    short = min(image.size)
    least = min(max(side * 1.1, short / 4), short)
    s = int(least * (short / least) ** rng.random())
    x, y = rng.randint(0, image.width - s), rng.randint(0, image.height - s)
    small = image.resize((side, side), Image.BOX if s >= 2 * side else Image.BILINEAR, box=(x, y, x + s, y + s))
    if rng.random() < 0.5:
        small = small.transpose(Image.FLIP_LEFT_RIGHT)
    return np.asarray(small)


def outline(kind, rng):
    """Points of a closed shape in about [-1, 1]^2."""
    count = 72
    angles = [2 * math.pi * i / count for i in range(count)]
    if kind == "superellipse":
        n = rng.choice([1.0, 2.0, 2.0, 3.0, 5.0, 20.0])
        power = lambda v: math.copysign(abs(v) ** (2 / n), v)
        return [(power(math.cos(a)), power(math.sin(a))) for a in angles]
    if kind == "blob":
        waves = [(k, rng.uniform(0, 0.35) / k ** 0.7, rng.uniform(0, 2 * math.pi)) for k in range(2, 8)]
        radius = lambda a: 0.8 * (1 + sum(w * math.cos(k * a + p) for k, w, p in waves))
        return [(radius(a) * math.cos(a), radius(a) * math.sin(a)) for a in angles]
    corners = sorted(rng.uniform(0, 2 * math.pi) for _ in range(rng.randint(4, 9)))
    return [(r * math.cos(a), r * math.sin(a)) for a in corners for r in [rng.uniform(0.5, 1)]]


def place(draw, side, low, high, rng):
    """One shape whose extent is low..high of the side; sometimes it runs over the border."""
    points = outline(rng.choice(["superellipse", "blob", "polygon"]), rng)
    rx, ry = (side * rng.uniform(low, high) / 2 for _ in range(2))
    turn = rng.uniform(0, math.pi) if rng.random() < 0.6 else 0
    points = [(rx * x, ry * y) for x, y in points]
    points = [(x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)) for x, y in points]
    over = -0.5 if rng.random() < 0.15 else 1.05
    bound = lambda r: min(0.5, r * over / side) if over > 0 else 0
    cx = side * rng.uniform(bound(rx), 1 - bound(rx))
    cy = side * rng.uniform(bound(ry), 1 - bound(ry))
    draw.polygon([(cx + x, cy + y) for x, y in points], fill=255)


def strokes(draw, side, rng):
    """Lines as a hand draws them."""
    for _ in range(rng.randint(1, 3)):
        x, y, heading = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(0, 2 * math.pi)
        width = max(2, round(side * rng.uniform(0.015, 0.11)))
        for _ in range(rng.randint(3, 14)):
            heading += rng.gauss(0, 0.5)
            step = side * rng.uniform(0.03, 0.1)
            nx, ny = x + step * math.cos(heading), y + step * math.sin(heading)
            draw.line((x, y, nx, ny), fill=255, width=width)
            draw.ellipse((nx - width / 2, ny - width / 2, nx + width / 2, ny + width / 2), fill=255)
            x, y = nx, ny


def hole(side, rng, kind=None):
    """bool [side, side], True to be filled; never empty, never more than 60 % of the pixels."""
    while True:
        mask = Image.new("L", (side, side))
        draw = ImageDraw.Draw(mask)
        what = kind or rng.choices(["stroke", "object", "large", "several"], [0.2, 0.35, 0.33, 0.12])[0]
        if what == "stroke":
            strokes(draw, side, rng)
        elif what == "object":
            for _ in range(rng.choice([1, 1, 2])):
                place(draw, side, 0.15, 0.42, rng)
        elif what == "large":
            place(draw, side, 0.42, 0.62, rng)
            if rng.random() < 0.3:
                place(draw, side, 0.2, 0.4, rng)
        else:
            strokes(draw, side, rng)
            place(draw, side, 0.15, 0.45, rng)
        if what != "stroke" and rng.random() < 0.5:
            # People mask with a margin.
            mask = mask.filter(ImageFilter.MaxFilter(2 * max(1, round(side * rng.uniform(0.005, 0.025))) + 1))
        mask = np.asarray(mask) > 127
        if 0.002 < mask.mean() < 0.6:
            return mask


def jitter(pixels, rng):
    """Small changes of exposure, contrast and white balance; `pixels` in 0..1."""
    gain = [rng.uniform(0.88, 1.12) * rng.uniform(0.95, 1.05) for _ in range(3)]
    pixels = pixels * np.asarray(gain, np.float32) + np.float32(rng.uniform(-0.05, 0.05))
    return np.clip(pixels, 0, 1)


def smooth(x, mask, sweeps=40):
    """`x` [N, C, H, W] with the holes (1 in `mask`) continued smoothly: harmonic, solved coarse to fine."""
    known = 1 - mask
    half = (x.shape[2] + 1) // 2, (x.shape[3] + 1) // 2
    if max(half) > 1:
        pad = (0, 2 * half[1] - x.shape[3], 0, 2 * half[0] - x.shape[2])
        weight = F.avg_pool2d(F.pad(known, pad), 2)
        coarse = F.avg_pool2d(F.pad(x * known, pad), 2) / (weight + 1e-9)
        coarse = smooth(coarse, (weight == 0).float(), sweeps)
        guess = F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)[:, :, : x.shape[2], : x.shape[3]]
    else:
        guess = x * known
    x = torch.where(mask > 0, guess, x)
    for _ in range(sweeps):
        around = F.pad(x, (1, 1, 1, 1), mode="replicate")
        mean = (around[:, :, 1:-1, :-2] + around[:, :, 1:-1, 2:] + around[:, :, :-2, 1:-1] + around[:, :, 2:, 1:-1]) / 4
        x = torch.where(mask > 0, mean, x)
    return x


def batch(images, side, count, rng, kind=None, augment=True):
    """(pictures [N, 3, S, S] in [-1, 1], the same with smooth holes, holes [N, 1, S, S] of 0 and 1)."""
    pictures, holes = [], []
    for _ in range(count):
        pixels = crop(rng.choice(images), side, rng).astype(np.float32) / 255
        pictures.append(jitter(pixels, rng) if augment else pixels)
        holes.append(hole(side, rng, kind))
    x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) * 2 - 1
    m = torch.from_numpy(np.stack(holes))[:, None].float()
    x = x.contiguous(memory_format=torch.channels_last)
    return x, smooth(x, m), m


def held_out(images, side):
    """One fixed crop a photo and class: {class: what `batch` gives}."""
    out = {}
    for kind in ("stroke", "object", "large"):
        parts = [batch([image], side, 1, random.Random(f"{kind} {side} {i}"), kind, False) for i, image in enumerate(images)]
        out[kind] = tuple(torch.cat(part) for part in zip(*parts))
    return out


class Stream:
    """Batches from `start` on, made in a thread beside the training; `plan(step)` is (side, count)."""

    def __init__(self, images, seed, start, plan):
        self.queue = queue.Queue(maxsize=3)
        self.arguments = images, seed, start, plan
        self.ending = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        images, seed, step, plan = self.arguments
        while not self.ending:
            rng = random.Random(f"{seed} {step}")
            side, count = plan(step)
            self.queue.put((step, batch(images, side, count, rng), rng.random()))
            step += 1

    def end(self):
        """Waits for the thread: torch must not be left while it works."""
        self.ending = True
        while self.thread.is_alive():
            try:
                self.queue.get(timeout=0.1)
            except queue.Empty:
                pass

    def __iter__(self):
        while True:
            yield self.queue.get()
