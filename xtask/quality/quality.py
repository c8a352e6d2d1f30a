"""Measures fills on held-out photos; called by `cargo xtask quality`, which explains the options."""
import argparse
import datetime
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

import measures
import sheet
from fills import CLASSICAL, MOVED, TITLES, Ours, digest, fill
from scenes import CLASSES, Scene, held_out

FIGURES = ("psnr", "ssim", "features", "seam")
BEGIN, END = "<!-- figures: written by cargo xtask quality -->", "<!-- end of figures -->"


def arguments():
    listed = lambda allowed: lambda text: [w if w in allowed else refuse(w, allowed) for w in text.split(",")]
    parser = argparse.ArgumentParser(prog="cargo xtask quality")
    parser.add_argument("--photos", required=True)
    parser.add_argument("--infill", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--starter", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--migan", required=True)
    parser.add_argument("--infill-options", default="")
    parser.add_argument("--only", type=listed(tuple(TITLES)), default=list(TITLES))
    parser.add_argument("--masks", type=listed(CLASSES), default=list(CLASSES))
    parser.add_argument("--sizes", type=listed(("512", "native")), default=["512", "native"])
    parser.add_argument("--photos-limit", type=int)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--report")
    parser.add_argument("--sheet")
    parser.add_argument("--scenes")
    return parser.parse_args()


def refuse(word, allowed):
    raise argparse.ArgumentTypeError(f"{word} is none of {', '.join(allowed)}")


class Measured:
    """Figures of pictures measured before, by the pictures' own hashes."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "figures.json")
        self.values = json.load(open(self.path)) if os.path.exists(self.path) else {}
        with open(measures.__file__, "rb") as file:
            self.version = hashlib.sha256(file.read()).hexdigest()
        self.network, self.fresh = None, 0

    def of(self, scene, path):
        key = hashlib.sha256(" ".join([self.version, digest(path), digest(scene.photo), digest(scene.mask)]).encode()).hexdigest()
        if key not in self.values:
            self.fresh += 1
            self.network = self.network or measures.Network()
            filled = np.asarray(Image.open(path).convert("RGB"))
            self.values[key] = measures.measure(self.network, (scene.set, scene.name), filled, scene.truth(), scene.hole())
            if self.fresh % 50 == 0:
                self.save()
        return self.values[key]

    def save(self):
        # Another run may have measured something meanwhile.
        if os.path.exists(self.path):
            with open(self.path) as file:
                self.values = json.load(file) | self.values
        with open(f"{self.path}.part", "w") as file:
            json.dump(self.values, file)
        os.replace(f"{self.path}.part", self.path)


DIGITS = {"psnr": 1, "ssim": 3, "features": 3, "seam": 2}
BEST = {"psnr": max, "ssim": max, "features": min, "seam": lambda v: min(v, key=lambda s: abs(np.log(s)))}


def printed(means, kinds, rows):
    """The cells of every row, as they are printed."""
    return {row: [f"{means[row, kind][f]:.{DIGITS[f]}f}" for kind in kinds for f in FIGURES] for row in rows}


def table(cells, kinds):
    """One set of scenes as Markdown; the best fill of a column in bold."""
    fills = [row for row in cells if row not in MOVED]
    columns = [f for _ in kinds for f in FIGURES]
    best = [BEST[f]([float(cells[row][i]) for row in fills]) if fills else None for i, f in enumerate(columns)]
    lines = ["| | " + " | ".join(f"{kind}: PSNR | SSIM | features | rim" for kind in kinds) + " |"]
    lines.append("| --- |" + " --- |" * len(columns))
    for row in (row for row in TITLES if row in cells):
        words = [f"**{text}**" if row in fills and float(text) == best[i] else text for i, text in enumerate(cells[row])]
        lines.append(f"| {TITLES[row]} | " + " | ".join(words) + " |")
    return "\n".join(lines)


def cells_of(block):
    """The cells of a table that was written before."""
    rows = {title: row for row, title in TITLES.items()}
    lines = [[cell.strip().strip("*") for cell in line.strip("| ").split(" | ")] for line in block.splitlines() if line.startswith("| ")]
    return {rows[title]: cells for title, *cells in lines if title in rows}


def gain(mine, other):
    """How much lower the first list's mean is, and the standard error of that, in percent of the other's; scene by scene."""
    mine, other = np.array(mine), np.array(other)
    error = np.std(other - mine, ddof=1) / len(mine) ** 0.5 if len(mine) > 1 else float("nan")
    return 100 * (1 - mine.mean() / other.mean()), 100 * error / other.mean()


def verdict(results, means, kinds, rows):
    """Default + sharpening against the best classical row and the starter's two, on feature distance."""
    ours = "default-sharp"
    if ours not in rows:
        return ""
    values = lambda row, kind: [r["features"] for r in results[row, kind]]
    sentences = []
    for kind in kinds:
        classical = sorted((row for row in CLASSICAL if row in rows), key=lambda row: means[row, kind]["features"])
        parts = []
        for other in [*classical[:1], *(row for row in ("starter", "starter-sharp") if row in rows)]:
            change, error = gain(values(ours, kind), values(other, kind))
            parts.append(f"{abs(change):.1f} ± {error:.1f} % {'better' if change >= 0 else 'worse'} than {TITLES[other]}")
        sentences.append(f"{kind}: " + ", ".join(parts))
    return "Feature distance of default + sharpening, against the best classical row and against the starter, alone and sharpened; ± is the standard error over the photos. " + "; ".join(sentences) + "."


def main():
    options = arguments()
    photos = held_out(options.photos)[: options.photos_limit]
    ours = Ours(options)
    measured = Measured(options.cache)
    rows = [row for row in TITLES if row in options.only]
    kinds = [kind for kind in CLASSES if kind in options.masks]
    blocks, all_scenes, every = [], {}, []
    for size in options.sizes:
        long_side = None if size == "native" else int(size)
        scenes = [Scene(options.cache, path, long_side, kind) for path in photos for kind in kinds]
        all_scenes[size] = scenes
        with ThreadPoolExecutor(options.jobs) as pool:
            work = [(scene, row) for scene in scenes for row in rows]
            paths = list(pool.map(lambda job: fill(*job, ours), work))
        results, listed = {}, []
        for (scene, row), path in zip(work, paths):
            figures = measured.of(scene, path)
            results.setdefault((row, scene.kind), []).append(figures)
            listed.append({"size": size, "photo": scene.name, "kind": scene.kind, "row": row, **figures})
        measured.save()
        every.extend(listed)
        means = {(row, kind): {f: np.mean([r[f] for r in results[row, kind]]) for f in FIGURES} for row in rows for kind in kinds}
        title = f"**{'Long side 512' if long_side else 'Native size'}**, {len(photos)} photos"
        blocks.append(Block(title, printed(means, kinds, rows), kinds, verdict(results, means, kinds, rows)))
        print(f"\n{blocks[-1].text()}", flush=True)
    if options.sheet:
        sheet.write(options.sheet, [s for s in all_scenes[options.sizes[0]] if s.kind != "stroke"], ours)
    if options.scenes:
        with open(options.scenes, "w") as file:
            json.dump(every, file, indent=0)
    if options.report:
        write(options.report, blocks, len(photos), None if rows == list(TITLES) else rows)


@dataclass
class Block:
    """The figures of one set of scenes."""

    title: str
    cells: dict
    kinds: list
    verdict: str

    def text(self):
        return f"{self.title}\n\n{table(self.cells, self.kinds)}\n\n{self.verdict}".rstrip()

    def put_into(self, text):
        """The same set in a report, with these rows in place of its own."""
        start = text.index(self.title)
        end = text.find("\n**", start + 1)
        block = text[start:] if end < 0 else text[start:end]
        old = [line for line in block.splitlines() if line.startswith("|")]
        return text.replace("\n".join(old), table(cells_of(block) | self.cells, self.kinds))


def write(path, blocks, count, rows):
    """Replaces the figures in the report, or only those of some rows; its words are people's."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{path} has lost its lines {BEGIN} and {END}.")
    head, rest = text.split(BEGIN, 1)
    body, tail = rest.split(END, 1)
    body, date = body.strip(), datetime.date.today().isoformat()
    if rows is None:
        body = "\n\n".join([f"Measured {date}, {count} held-out photos, seed 0.", *(block.text() for block in blocks)])
    else:
        for block in blocks:
            body = block.put_into(body)
        first, rest = body.split("\n", 1)
        body = f"{first} {', '.join(TITLES[row] for row in rows)}: {date}.\n{rest}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}{BEGIN}\n\n{body}\n\n{END}{tail}")


if __name__ == "__main__":
    main()
