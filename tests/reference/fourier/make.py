"""Makes `fourier.json` with PyTorch: rfft2 and irfft2 at every side from 1 to 130. The tests need only the fixture.

    python tests/reference/fourier/make.py

Inputs are not stored: they are `numbers` of the networks' `make.py`. Of large outputs one number is kept, their product
with other such numbers, which no single wrong value leaves as it is; of small ones everything.
"""

import json
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "networks"))
from make import numbers  # noqa: E402

CHANNELS = 3


def spectrum_channels(x):
    """`[N, C, H, W]` complex to `[N, 2 C, H, W]`, real and imaginary parts next to each other."""
    parts = torch.stack((x.real, x.imag), dim=2)
    return parts.reshape(x.shape[0], -1, *x.shape[2:])


def row(height, width):
    x = numbers((1, CHANNELS, height, width), 1).double()
    spectrum = spectrum_channels(torch.fft.rfft2(x, norm="ortho"))
    # Anything but the spectrum of a real plane: imaginary parts stand where c2r does not look.
    other = numbers(tuple(spectrum.shape), 2).double()
    parts = other.reshape(1, CHANNELS, 2, *other.shape[2:])
    plane = torch.fft.irfft2(torch.complex(parts[:, :, 0], parts[:, :, 1]), s=(height, width), norm="ortho")
    found = {"sides": [height, width]}
    for name, y in [("forward", spectrum), ("inverse", plane)]:
        found[name] = round(float((y * numbers(tuple(y.shape), 3).double()).sum()), 6)
        if height * width <= 20:
            found[f"{name}_whole"] = [round(float(value), 6) for value in y.reshape(-1)]
    return found


def main():
    # 131 is prime, so that every side from 1 to 130 occurs once as a height and once as a width.
    rows = [row(side, side * 31 % 131) for side in range(1, 131)]
    rows += [row(*sides) for sides in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 5), (5, 3), (4, 4), (64, 64), (128, 128)]]
    with open(f"{HERE}/fourier.json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()
