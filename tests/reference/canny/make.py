"""scikit-image's Canny on real photos: python tests/reference/canny/make.py PHOTO_FOLDER

Writes gray photos (8 bit), known masks and the edges of `feature.canny(gray, sigma, mask=known)` as small PNGs.
"""

import os
import sys

import numpy as np
from PIL import Image, ImageDraw
from skimage.feature import canny

HERE = os.path.dirname(os.path.abspath(__file__))


def main(folder):
    for index, (name, sigma) in enumerate([("0003.jpg", 2.0), ("0040.jpg", 2.0), ("0101.jpg", 1.0), ("0207.jpg", 3.0)]):
        photo = Image.open(f"{folder}/{name}").convert("L")
        photo.thumbnail((200, 200))
        hole = Image.new("L", photo.size)
        if index:
            ImageDraw.Draw(hole).ellipse([60, 40, 120, 100], fill=255)
        known = np.asarray(hole) < 128
        edges = canny(np.asarray(photo) / 255.0, sigma=sigma, mask=known)
        stem = f"{HERE}/{index}-sigma{sigma:g}"
        photo.save(f"{stem}-gray.png", optimize=True)
        hole.convert("1").save(f"{stem}-hole.png", optimize=True)
        Image.fromarray(edges).save(f"{stem}-edges.png", optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
