"""Makes a small photo with all kinds of metadata as JPEG, PNG and WebP, with Pillow and exiftool, and a 16-bit PNG.

    pip install pillow numpy; python3 make.py        (exiftool 12 or later)
"""

import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

HERE = Path(__file__).parent
WIDTH, HEIGHT = 48, 32
TAGS = [
    "-Make=Camera", "-Model=One", "-DateTimeOriginal=2024:05:06 07:08:09", "-LensModel=Lens",
    "-ExifImageWidth=48", "-ExifImageHeight=32",
    "-GPSLatitude=48.2", "-GPSLatitudeRef=N", "-GPSLongitude=16.37", "-GPSLongitudeRef=E",
    "-XMP-exif:GPSLatitude=48.2", "-XMP-dc:Title=A title", "-XMP-photoshop:City=Vienna", "-XMP-tiff:Orientation#=6",
    "-XMP-xmp:ThumbnailFormat=JPEG", "-XMP-xmp:ThumbnailImage=thumbnail",
]
IPTC = ["-IPTC:City=Vienna", "-IPTC:Caption-Abstract=A caption", "-IPTC:Keywords=one", "-IPTC:Keywords=two"]


def picture(size=(WIDTH, HEIGHT)):
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    return Image.fromarray(np.stack([x * 5 % 256, y * 7 % 256, (x + y) * 3 % 256], -1).astype(np.uint8))


def tag(path, *tags):
    subprocess.run(["exiftool", "-q", "-overwrite_original", *tags, path], check=True)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def insert_chunks(path, *chunks):
    """After IHDR."""
    bytes_ = path.read_bytes()
    path.write_bytes(bytes_[:33] + b"".join(chunks) + bytes_[33:])


def main():
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    thumb = HERE / "thumb.jpg"
    picture((32, 24)).save(thumb, quality=30)
    for orientation in (1, 6):
        path = HERE / f"photo-{orientation}.jpg"
        picture().save(path, quality=85, dpi=(300, 300), icc_profile=icc, comment="A comment")
        tag(path, *TAGS, *IPTC, f"-Orientation#={orientation}", f"-ThumbnailImage<={thumb}")
    thumb.unlink()
    png = HERE / "photo.png"
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Somebody")
    text.add_itxt("Description", "Ein Überblick", zip=True)
    picture().save(png, dpi=(300, 300), pnginfo=text)
    tag(png, *TAGS, *IPTC, "-Orientation#=6")
    chroma = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    insert_chunks(png, chunk(b"cICP", bytes([12, 13, 0, 1])), chunk(b"gAMA", struct.pack(">I", 45455)), chunk(b"cHRM", chroma))
    webp = HERE / "photo.webp"
    picture().save(webp, lossless=True, icc_profile=icc)
    tag(webp, *TAGS, "-Orientation#=6")
    # A slow ramp of 16 bits, and the same with alpha.
    for name, channels, kind in (("ramp-gray16", 1, 0), ("ramp-rgb16", 3, 2), ("ramp-rgba16", 4, 6)):
        x = np.linspace(20000, 24000, 96)
        rows = np.stack([x + 900 * c for c in range(channels)], -1).round().astype(">u2")
        raw = b"".join(b"\0" + rows.tobytes() for _ in range(40))
        header = struct.pack(">2I5B", 96, 40, 16, kind, 0, 0, 0)
        body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
        (HERE / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)


if __name__ == "__main__":
    main()
