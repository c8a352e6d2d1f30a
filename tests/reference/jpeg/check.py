"""Random photos, holes, samplings, qualities and processes, filled by the command line and saved as JPEG, PNG and WebP: what
the hole did not touch is held against readers that are not infill's (jpeglib for coefficients, Pillow and djpeg for pixels).

    pip install jpeglib pillow numpy
    INFILL=target/release/infill python3 tests/reference/jpeg/check.py [ROUNDS] [SEED]
"""

import io
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import jpeglib
import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[3]
PHOTOS = sorted((ROOT / "www/samples").glob("[!t]*.jpg"))
INFILL = os.environ["INFILL"]


def source(rng, folder):
    """A random crop, saved in a random way; returns its path and what was chosen."""
    photo = Image.open(rng.choice(PHOTOS)).convert("RGB")
    width, height = rng.randint(17, 150), rng.randint(17, 150)
    x, y = rng.randint(0, photo.width - width), rng.randint(0, photo.height - height)
    crop = photo.crop((x, y, x + width, y + height))
    crop.save(folder / "crop.ppm")
    options = ["-quality", str(rng.randint(3, 100)), "-sample", rng.choice(["1x1", "2x1", "1x2", "2x2", "4x1", "4x2"])]
    options += rng.choice([[], ["-progressive"], ["-optimize"], ["-grayscale"], ["-rgb"], ["-progressive", "-grayscale"]])
    if rng.random() < 0.3:
        options += ["-restart", rng.choice(["1B", "3B", "1"])]
    if "-rgb" in options or "-grayscale" in options:
        options[3] = "1x1"
    path = folder / "photo.jpg"
    subprocess.run(["cjpeg", *options, "-outfile", path, folder / "crop.ppm"], check=True, stderr=subprocess.DEVNULL)
    orientation = rng.choice([1, 1, 1, 2, 3, 4, 5, 6, 7, 8])
    if orientation > 1:
        exif = Image.Exif()
        exif[0x112] = orientation
        data = b"Exif\0\0" + exif.tobytes()[6:] if exif.tobytes().startswith(b"Exif") else b"Exif\0\0" + exif.tobytes()
        bytes_ = path.read_bytes()
        path.write_bytes(bytes_[:2] + b"\xff\xe1" + (len(data) + 2).to_bytes(2, "big") + data + bytes_[2:])
    return path, options, orientation


TURNS = {
    2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180], 4: [Image.Transpose.FLIP_TOP_BOTTOM],
    5: [Image.Transpose.TRANSPOSE], 6: [Image.Transpose.ROTATE_270], 7: [Image.Transpose.TRANSVERSE],
    8: [Image.Transpose.ROTATE_90],
}


def mask(rng, size):
    """White on black: a rectangle or two, as the JPEG is stored."""
    hole = np.zeros((size[1], size[0]), np.uint8)
    for _ in range(rng.randint(1, 2)):
        w, h = rng.randint(1, max(1, size[0] // 3)), rng.randint(1, max(1, size[1] // 3))
        x, y = rng.randint(0, size[0] - w), rng.randint(0, size[1] - h)
        hole[y : y + h, x : x + w] = 255
    return hole


def planes(path):
    jpeg = jpeglib.read_dct(str(path))
    return jpeg, [plane for plane in (jpeg.Y, jpeg.Cb, jpeg.Cr) if plane is not None]


def check_jpeg(before, after, hole):
    """Coefficients of blocks without a hole are equal, and pixels away from the others, for two builds of libjpeg."""
    (old, old_planes), (new, new_planes) = planes(before), planes(after)
    assert old.progressive_mode == new.progressive_mode, "process"
    assert (old.samp_factor == new.samp_factor).all() and len(old_planes) == len(new_planes), "sampling"
    assert (old.qt == new.qt).all(), "tables"
    most = np.max([list(factor) for factor in old.samp_factor], axis=0)
    touched = np.zeros(hole.shape, bool)
    for a, b, factor in zip(old_planes, new_planes, old.samp_factor):
        bh, bw = (8 * top // own for top, own in zip(most, factor))
        for row in range(a.shape[0]):
            for column in range(a.shape[1]):
                y, x = row * bh, column * bw
                if hole[y : y + bh, x : x + bw].any():
                    # One sample of the component reaches over its block's edge where decoders interpolate.
                    my, mx = bh // 8 - 1, bw // 8 - 1
                    touched[max(0, y - my) : y + bh + my, max(0, x - mx) : x + bw + mx] = True
                else:
                    assert (a[row, column] == b[row, column]).all(), f"block {column}, {row}"
    for decode in (pillow, djpeg):
        a, b = decode(before), decode(after)
        assert (a == b)[~touched].all(), f"pixels of {decode.__name__}"
    return touched.mean()


def pillow(path):
    pixels = np.asarray(Image.open(path))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def djpeg(path):
    pixels = np.asarray(Image.open(io.BytesIO(subprocess.run(["djpeg", path], check=True, capture_output=True).stdout)))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def check_lossless(before, after, upright):
    """A PNG or WebP equals what the crate decodes of the JPEG, which is held against itself: saved with an other hole."""
    a, b = (np.asarray(Image.open(path).convert("RGB")).astype(int) for path in (before, after))
    assert a.shape == b.shape and (a == b)[~upright].all(), "pixels"


def run(path, mask_path, output, *more):
    command = [INFILL, "inpaint", "--image", path, "--mask", mask_path, "--output", output, "--model", "none", *more]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "encoded anew" not in done.stderr, done.stderr


def one(rng, folder):
    path, options, orientation = source(rng, folder)
    stored = Image.open(path)
    hole = mask(rng, stored.size)
    upright = Image.fromarray(hole)
    for turn in TURNS.get(orientation, []):
        upright = upright.transpose(turn)
    upright.save(folder / "mask.png")
    try:
        run(path, folder / "mask.png", folder / "out.jpg")
        share = check_jpeg(path, folder / "out.jpg", hole > 0)
        # The second generation: another hole in the first one's file.
        run(folder / "out.jpg", folder / "mask.png", folder / "again.jpg", "--seed", "2")
        check_jpeg(folder / "out.jpg", folder / "again.jpg", hole > 0)
        run(path, folder / "mask.png", folder / "out.png")
        run(path, folder / "mask.png", folder / "out.webp")
        run(path, folder / "mask.png", folder / "other.png", "--seed", "3")
        check_lossless(folder / "out.png", folder / "other.png", np.asarray(upright) > 0)
        a, b = (np.asarray(Image.open(folder / name).convert("RGB")) for name in ("out.png", "out.webp"))
        assert (a == b).all(), "WebP and PNG differ"
    except AssertionError as error:
        raise SystemExit(f"{options}, orientation {orientation}, {stored.size}: {error}") from error
    return share


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    shares = []
    with tempfile.TemporaryDirectory() as folder:
        for index in range(rounds):
            shares.append(one(random.Random(seed * 100_000 + index), Path(folder)))
    print(f"{rounds} photos: no block and no pixel outside changed; {np.mean(shares):.0%} of the pixels were in or beside one")


if __name__ == "__main__":
    main()
