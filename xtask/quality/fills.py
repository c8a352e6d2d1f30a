"""Every row of the table: how it fills a scene."""
import hashlib
import inspect
import os
import subprocess
from functools import partial

import numpy as np
from PIL import Image

# Unknown pixels that the biharmonic solver gets; it takes minutes for more.
BIHARMONIC_PIXELS = 4000
# Fills by our program that are kept for each scene.
KEPT = 40

# By how many pixels to the left the photo's own content is moved, to say what a distance means.
MOVED = {"moved-8": 8, "moved-16": 16, "moved-32": 32}

TITLES = {
    **{row: f"the photo itself, moved by {by} px" for row, by in MOVED.items()},
    "telea": "OpenCV Telea (radius 5)",
    "ns": "OpenCV Navier-Stokes (radius 5)",
    "biharmonic": "scikit-image biharmonic",
    "patch": "patch synthesis alone",
    "starter": "starter alone",
    "starter-sharp": "starter + sharpening",
    "migan": "MI-GAN alone",
    "migan-sharp": "MI-GAN + sharpening",
    "default": "default alone",
    "default-sharp": "default + sharpening",
}
CLASSICAL = ("telea", "ns", "biharmonic")


def opencv(scene, method):
    import cv2

    photo = cv2.imread(scene.broken)
    return cv2.inpaint(photo, scene.hole().astype(np.uint8) * 255, 5, method)[:, :, ::-1]


def telea(scene):
    import cv2

    return opencv(scene, cv2.INPAINT_TELEA)


def ns(scene):
    import cv2

    return opencv(scene, cv2.INPAINT_NS)


def biharmonic(scene):
    """In the hole's window only; reduced first where the hole has more than BIHARMONIC_PIXELS pixels."""
    from skimage.restoration import inpaint_biharmonic

    photo, hole = np.asarray(Image.open(scene.broken)), scene.hole()
    ys, xs = np.nonzero(hole)
    top, bottom, left, right = max(0, ys.min() - 12), ys.max() + 13, max(0, xs.min() - 12), xs.max() + 13
    window, inside = photo[top:bottom, left:right], hole[top:bottom, left:right]
    factor = max(1.0, (inside.sum() / BIHARMONIC_PIXELS) ** 0.5)
    size = [max(8, round(side / factor)) for side in (inside.shape[1], inside.shape[0])]
    small_hole = np.asarray(Image.fromarray(inside.astype(np.float32)).resize(size, Image.BOX)) > 0
    # Known pixels only are averaged: the gray of the hole must not leak out.
    cover = np.asarray(Image.fromarray(1 - inside.astype(np.float32)).resize(size, Image.BOX))[..., None]
    known = np.where(inside[..., None], 0, window).astype(np.float32)
    small = np.stack([np.asarray(Image.fromarray(known[..., c]).resize(size, Image.BOX)) for c in range(3)], -1)
    small = small / np.maximum(cover, 1e-3) / 255
    filled = np.clip(inpaint_biharmonic(np.clip(small, 0, 1), small_hole, channel_axis=-1), 0, 1) * 255
    back = [Image.fromarray(filled[..., c].astype(np.float32)).resize(inside.shape[::-1], Image.BICUBIC) for c in range(3)]
    back = np.clip(np.stack([np.asarray(b) for b in back], -1), 0, 255).round().astype(np.uint8)
    out = photo.copy()
    out[top:bottom, left:right][inside] = back[inside]
    return out


def moved(scene, by):
    """Right in everything but the place; mirrored at the photo's border."""
    photo, hole = scene.truth(), scene.hole()
    columns = np.arange(photo.shape[1]) + by
    last = photo.shape[1] - 1
    return np.where(hole[..., None], photo[:, np.where(columns > last, 2 * last - columns, columns)], photo)


BASELINES = {"telea": telea, "ns": ns, "biharmonic": biharmonic, **{row: partial(moved, by=by) for row, by in MOVED.items()}}


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def short(*words):
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:12]


def baseline_key(row):
    """Changes with what computes the row."""
    import cv2
    import skimage

    if row in MOVED:
        return short(str(MOVED[row]), inspect.getsource(moved))
    version = skimage.__version__ if row == "biharmonic" else cv2.__version__
    return short(version, str(BIHARMONIC_PIXELS), inspect.getsource(opencv), inspect.getsource(BASELINES[row]))


class Ours:
    """The native program, which runs the same pipeline as the page."""

    def __init__(self, options):
        starter, migan, default = (["--weights", path] for path in (options.starter, options.migan, options.weights))
        self.infill = options.infill
        self.extra = options.infill_options.split()
        self.rows = {
            "patch": ["--model", "none"],
            "starter": [*starter, "--sharpen", "off"],
            "starter-sharp": [*starter, "--sharpen", "on"],
            "migan": [*migan, "--sharpen", "off"],
            "migan-sharp": [*migan, "--sharpen", "on"],
            "default": [*default, "--sharpen", "off"],
            "default-sharp": [*default, "--sharpen", "on"],
        }
        files = {path: digest(path) for path in (self.infill, options.starter, options.migan, options.weights)}
        # A row is made anew only when the program, its own weights or the options changed.
        words = {row: [files.get(word, word) for word in [self.infill, *words, *self.extra]] for row, words in self.rows.items()}
        self.keys = {row: short(*words) for row, words in words.items()}

    def output(self, scene, row):
        return scene.output(f"ours-{self.keys[row]}")

    def run(self, scene, row):
        path = self.output(scene, row)
        files = ["--image", scene.broken, "--mask", scene.mask, "--output", f"{path}.part.png"]
        done = subprocess.run([self.infill, "inpaint", *files, *self.rows[row], *self.extra], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"infill failed on {scene.broken} ({row}): {done.stderr.strip()}")
        os.replace(f"{path}.part.png", path)


def fill(scene, row, ours):
    """Path of the filled photo; made if it is not there yet."""
    path = scene.output(f"{row}-{baseline_key(row)}") if row in BASELINES else ours.output(scene, row)
    if os.path.exists(path):
        return path
    if row in BASELINES:
        Image.fromarray(np.ascontiguousarray(BASELINES[row](scene))).save(f"{path}.part", "PNG", compress_level=1)
        os.replace(f"{path}.part", path)
    else:
        forget_oldest(scene.folder)
        ours.run(scene, row)
    return path


def forget_oldest(folder):
    """Fills of programs and weights of long ago."""
    kept = sorted((f for f in os.scandir(folder) if f.name.startswith("ours-")), key=lambda f: f.stat().st_mtime)
    for file in kept[:-KEPT]:
        os.remove(file.path)
