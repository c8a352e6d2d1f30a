"""Fills a photo with all kinds of metadata by the command line, saves it in every format, and holds what exiftool and Pillow
read of the source against what they read of the saved file.

    pip install pillow; INFILL=target/release/infill python3 tests/reference/metadata/check.py [FILE...]
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

HERE = Path(__file__).parent
#: Groups of exiftool's whose tags are to survive, by format.
KEPT = {
    "jpg": ("IFD0", "ExifIFD", "GPS", "XMP", "IPTC", "JFIF", "ICC"),
    "png": ("IFD0", "ExifIFD", "GPS", "XMP", "IPTC", "PNG-pHYs", "PNG-cICP", "ICC"),
    "webp": ("IFD0", "ExifIFD", "GPS", "XMP", "ICC"),
}
#: What is meant to change: the orientation and sizes of a turned picture, thumbnails, and what exiftool derives.
CHANGED = ("Orientation", "ImageWidth", "ImageHeight", "Thumbnail", "IFD1", "Digest", "YCbCrPositioning", "Warning")
PLACE = ("GPS", "City", "State", "Country", "Location")


def tags(path):
    out = subprocess.run(["exiftool", "-a", "-G1", "-j", "-n", path], capture_output=True, text=True, check=True).stdout
    return {key: value for key, value in json.loads(out)[0].items() if ":" in key}


def check(source, ending, *more):
    with tempfile.TemporaryDirectory() as folder:
        mask, output = Path(folder) / "mask.png", Path(folder) / f"out.{ending}"
        upright = ImageOps.exif_transpose(Image.open(source))
        hole = Image.new("L", upright.size)
        hole.paste(255, (4, 4, 12, 12))
        hole.save(mask)
        command = [os.environ["INFILL"], "inpaint", "--image", source, "--mask", mask, "--output", output, "--model", "none"]
        subprocess.run([*command, *more], check=True)
        before, after = tags(source), tags(output)
        assert ImageOps.exif_transpose(Image.open(output)).size == upright.size, "size"
        without_place = "--without-place" in more
        lost = []
        for key, value in before.items():
            group, name = key.split(":", 1)
            is_place = any(word in name for word in PLACE) or group == "GPS"
            if without_place and is_place:
                assert key not in after, f"{key} is still there"
                continue
            if not group.startswith(KEPT[ending]) or any(word in key for word in CHANGED):
                continue
            if after.get(key) != value and not (group in ("IPTC", "JFIF", "PNG-pHYs") and source.suffix != output.suffix):
                lost.append((key, value, after.get(key)))
        assert not lost, lost
        assert not any("Thumbnail" in key or key.startswith("IFD1") for key in after), "a thumbnail"
        warnings = [value for key, value in after.items() if key.endswith(":Warning")]
        assert not warnings or warnings == [v for k, v in before.items() if k.endswith(":Warning")], warnings


def main():
    files = [Path(name) for name in sys.argv[1:]] or sorted(HERE.glob("photo*.*"))
    for source in files:
        for ending in KEPT:
            check(source, ending)
            check(source, ending, "--without-place")
        print(f"{source.name}: as {', '.join(KEPT)}, with the place and without")


if __name__ == "__main__":
    main()
