"""How well a click selects and a rough mask snaps: python tests/reference/selection/measure.py PHOTO_FOLDER [INFILL]

Holds `infill select` (INFILL, default target/release/infill) and OpenCV's GrabCut against the outlines in outlines.json,
which were drawn by hand in photo pixels (several polygons of one object: even-odd). The constants of src/pipeline/select were
chosen on the outlines marked `tuned`, the scores of candidates also on those marked `fitted`, which are drawn less exactly; those
marked `held-out` were used for neither. Printed for each set, as the mean
intersection over union (IoU): after one, two and three clicks; GrabCut from the outline's bounding box (5 iterations); rough
masks before and after snapping. The first click is the outline's pole of inaccessibility, each further one that of the largest
connected part that is wrong. Needs numpy, OpenCV, Pillow and SciPy.
"""

import json
import os
import subprocess
import sys
import tempfile

import cv2
import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

HERE = os.path.dirname(os.path.abspath(__file__))
# Mean displacement of a brush's outline and its unevenness, in shares of the object's width (the root of its area).
ROUGH = [("painted too wide", 0.06, 0.0), ("painted too narrow", -0.06, 0.0), ("uneven", 0.0, 0.06), ("wide, uneven", 0.04, 0.05)]


def rasterised(outline):
    width, height = outline["size"]
    mask = np.zeros((height, width), bool)
    for polygon in outline["polygons"]:
        one = Image.new("1", (width, height))
        ImageDraw.Draw(one).polygon([tuple(point) for point in polygon], fill=1)
        mask ^= np.asarray(one)
    return mask


def iou(a, b):
    return (a & b).sum() / max((a | b).sum(), 1)


def pole(mask):
    distance = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(np.argmax(distance), mask.shape)
    return int(x), int(y)


def next_click(truth, mask):
    best, adds = np.zeros_like(truth), True
    for wrong, missing in [(truth & ~mask, True), (mask & ~truth, False)]:
        parts, count = ndimage.label(wrong)
        sizes = ndimage.sum(wrong, parts, range(1, count + 1)) if count else []
        if count and max(sizes) > best.sum():
            best, adds = parts == 1 + int(np.argmax(sizes)), missing
    return (*pole(best), adds) if best.any() else None


def roughened(truth, bias, unevenness, seed):
    side = np.sqrt(truth.sum())
    depth = ndimage.distance_transform_edt(truth) - ndimage.distance_transform_edt(~truth)
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(truth.shape), side * 0.06)
    return depth + bias * side + unevenness * side * noise / noise.std() > 0


def grabcut(photo, truth):
    ys, xs = np.nonzero(truth)
    box = (int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1)
    mask = np.zeros(truth.shape, np.uint8)
    cv2.setRNGSeed(0)
    cv2.grabCut(photo, mask, box, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT)
    return (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)


class Infill:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder

    def run(self, photo, *arguments):
        output = f"{self.folder}/mask.png"
        subprocess.run([self.binary, "select", "--image", photo, "--output", output, *arguments], check=True)
        return np.asarray(Image.open(output)) > 127

    def click(self, photo, clicks):
        words = [f"{x + 0.5},{y + 0.5}" + ("" if adds else ",-") for x, y, adds in clicks]
        return self.run(photo, *(word for click in words for word in ("--click", click)))

    def snap(self, photo, mask):
        Image.fromarray(mask.astype(np.uint8) * 255).save(f"{self.folder}/rough.png")
        return self.run(photo, "--snap", f"{self.folder}/rough.png")


def measured(infill, path, outline):
    truth = rasterised(outline)
    clicks, row = [(*pole(truth), True)], {}
    for count in (1, 2, 3):
        mask = infill.click(path, clicks)
        row[f"{count} click" + "s" * (count > 1)] = iou(mask, truth)
        more = next_click(truth, mask)
        clicks += [more] if more else []
    row["GrabCut from the box"] = iou(grabcut(cv2.imread(path), truth), truth)
    for seed, (name, bias, unevenness) in enumerate(ROUGH):
        rough = roughened(truth, bias, unevenness, seed)
        row[name] = iou(rough, truth)
        row[name + ", snapped"] = iou(infill.snap(path, rough), truth)
    return row


def main(photos, binary="target/release/infill"):
    outlines = json.load(open(f"{HERE}/outlines.json"))
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        infill = Infill(binary, folder)
        for outline in outlines:
            row = measured(infill, f"{photos}/{outline['photo']}", outline)
            rows.setdefault(outline["set"], []).append(row)
            print(outline["photo"], outline["set"], {name: round(float(value), 3) for name, value in row.items()}, flush=True)
    for name, part in rows.items():
        print(f"\n{name}: {len(part)} objects, mean IoU")
        for key in part[0]:
            print(f"  {np.mean([row[key] for row in part]):.3f}  {key}")


if __name__ == "__main__":
    main(*sys.argv[1:])
