"""Makes small JPEGs of every kind that keeps its blocks, and of the kinds that cannot, with cjpeg and jpegtran; and the CRC-32
of each one's coefficients as jpeglib (libjpeg) reads them.

    pip install jpeglib pillow numpy; python3 make.py

The coefficients of a component are written block by block, row by row, each block row by row, as little-endian i16, for
those blocks that hold pixels.
"""

import json
import subprocess
import zlib
from pathlib import Path

import jpeglib
import numpy as np
from PIL import Image

HERE = Path(__file__).parent
WIDTH, HEIGHT = 71, 53

CASES = {
    "gray": ["-grayscale", "-quality", "80"],
    "444": ["-sample", "1x1", "-quality", "90"],
    "422": ["-sample", "2x1", "-quality", "75"],
    "440": ["-sample", "1x2", "-quality", "75"],
    "420": ["-sample", "2x2", "-quality", "60"],
    "411": ["-sample", "4x1", "-quality", "75"],
    "420-optimised": ["-sample", "2x2", "-quality", "50", "-optimize"],
    "420-restart": ["-sample", "2x2", "-quality", "75", "-restart", "3B"],
    "rgb": ["-rgb", "-quality", "85"],
    "low": ["-sample", "2x2", "-quality", "5"],
    "best": ["-sample", "1x1", "-quality", "100"],
    "progressive-420": ["-sample", "2x2", "-quality", "75", "-progressive"],
    "progressive-444": ["-sample", "1x1", "-quality", "95", "-progressive"],
    "progressive-gray": ["-grayscale", "-quality", "75", "-progressive"],
    "progressive-restart": ["-sample", "2x2", "-quality", "75", "-progressive", "-restart", "2B"],
    "arithmetic": ["-arithmetic", "-quality", "75"],
}
SCANS = {
    # Each component in a scan of its own.
    "separate": "0; 1; 2;",
    # Spectral selection alone, and successive approximation of DC.
    "bands": "0,1,2: 0-0, 0, 1; 0,1,2: 0-0, 1, 0; 0: 1-9, 0, 0; 0: 10-63, 0, 0; 1: 1-63, 0, 0; 2: 1-63, 0, 0;",
    # The last bit of luma's AC never comes.
    "unfinished": "0,1,2: 0-0, 0, 0; 0: 1-63, 0, 2; 0: 1-63, 2, 1; 1: 1-63, 0, 0; 2: 1-63, 0, 0;",
}


def picture():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    random = np.random.default_rng(7)
    noise = random.integers(-20, 21, (HEIGHT, WIDTH, 3))
    rgb = np.stack([x * 3, y * 4, (x * y) % 256], -1) + noise
    rgb[20:30, 30:50] = [200, 30, 60]
    return Image.fromarray(rgb.clip(0, 255).astype(np.uint8))


def coefficients(path):
    """The CRC-32 of each component."""
    jpeg = jpeglib.read_dct(str(path))
    planes = [plane for plane in (jpeg.Y, jpeg.Cb, jpeg.Cr) if plane is not None]
    most = np.max([list(factor) for factor in jpeg.samp_factor], axis=0)
    found = []
    for plane, factor in zip(planes, jpeg.samp_factor):
        # jpeglib gives sampling factors down, across.
        rows, columns = (-(-(-(-side * own // top)) // 8) for side, own, top in zip((HEIGHT, WIDTH), factor, most))
        found.append(zlib.crc32(np.ascontiguousarray(plane[:rows, :columns]).astype("<i2").tobytes()))
    return found


def main():
    picture().save(HERE / "picture.ppm")
    for name, options in CASES.items():
        subprocess.run(["cjpeg", *options, "-outfile", HERE / f"{name}.jpg", HERE / "picture.ppm"], check=True)
    for name, script in SCANS.items():
        (HERE / "scans.txt").write_text(script)
        command = ["jpegtran", "-scans", HERE / "scans.txt", "-outfile", HERE / f"{name}.jpg", HERE / "420.jpg"]
        subprocess.run(command, check=True)
    (HERE / "scans.txt").unlink()
    (HERE / "picture.ppm").unlink()
    picture().convert("CMYK").save(HERE / "cmyk.jpg")
    names = [name for name in [*CASES, *SCANS] if name != "arithmetic"]
    sums = {name: coefficients(HERE / f"{name}.jpg") for name in names}
    (HERE / "coefficients.json").write_text(json.dumps(sums, indent=1) + "\n")


if __name__ == "__main__":
    main()
