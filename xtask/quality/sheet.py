"""The contact sheet: every row's fill of some scenes, side by side, for a person's eye."""
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fills import TITLES, fill

CELL = 190
COUNT = 9
COLUMNS = ("telea", "biharmonic", "patch", "migan", "migan-sharp", "default", "default-sharp")


def window(scene):
    """A square around the hole, so that it takes about half of it."""
    ys, xs = np.nonzero(scene.hole())
    height, width = scene.hole().shape
    side = min(max(2 * int(max(np.ptp(ys), np.ptp(xs))), 96), width, height)
    start = lambda v, size: int(np.clip((v.min() + v.max() - side) // 2, 0, size - side))
    x, y = start(xs, width), start(ys, height)
    return x, y, x + side, y + side


def choose(scenes):
    """Evenly through the photos, object and large in turn."""
    kinds = sorted({scene.kind for scene in scenes}, reverse=True)
    photos = sorted({scene.name for scene in scenes})
    count = min(COUNT, len(photos))
    chosen = [photos[i * len(photos) // count] for i in range(count)]
    return [next(s for s in scenes if s.name == name and s.kind == kinds[i % len(kinds)]) for i, name in enumerate(chosen)]


def write(path, scenes, ours):
    titles = ["hole", *(TITLES[row] for row in COLUMNS), "the photo itself"]
    font = ImageFont.load_default(12)
    picks = choose(scenes)
    page = Image.new("RGB", ((CELL + 4) * len(titles), 24 + (CELL + 4) * len(picks)), "white")
    draw = ImageDraw.Draw(page)
    for x, title in enumerate(titles):
        draw.text((x * (CELL + 4) + 4, 4), title, "black", font)
    for y, scene in enumerate(picks):
        box = window(scene)
        for x, source in enumerate([scene.broken, *(fill(scene, row, ours) for row in COLUMNS), scene.photo]):
            cell = Image.open(source).convert("RGB").crop(box).resize((CELL, CELL), Image.LANCZOS)
            page.paste(cell, (x * (CELL + 4), 24 + y * (CELL + 4)))
    page.save(path, quality=82, optimize=True)
