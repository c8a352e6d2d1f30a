"""Weights and results of every class in styles.py and cases.py, by PyTorch: python tests/reference/classes/make.py"""

import json
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../networks")

import cases  # noqa: E402
import styles  # noqa: E402
from make import lively, numbers  # noqa: E402

NAMES = ["Model", "Helpers", "Nested", "Ordered", "Named", "Inherited", "Blocks", "Pyramid", "Shared", "Sizes"]


CASES = [name for name, kind in vars(cases).items() if isinstance(kind, type) and issubclass(kind, cases.Base) and kind is not cases.Base]


def write(module, names, stem):
    weights, rows = {}, {}
    os.makedirs(f"{HERE}/cases", exist_ok=True)
    for name in names:
        net = lively(getattr(module, name)()).eval()
        weights[name] = net.state_dict()
        if module is cases:
            # Most have the same keys, so that one file for all would leave open whose weights are meant.
            torch.save(net.state_dict(), f"{HERE}/{stem}/{name}.pth")
        with torch.no_grad():
            y = net(numbers((1, 3, 16, 16), 1))
        y = y[-1] if isinstance(y, tuple) else y
        rows[name] = {"shape": list(y.shape), "step": 4, "y": [round(float(v), 7) for v in y[:, :, ::4, ::4].reshape(-1)]}
    if module is styles:
        torch.save(weights, f"{HERE}/{stem}.pth")
    with open(f"{HERE}/{stem}.json", "w") as file:
        json.dump(rows, file)


def main():
    torch.manual_seed(11)
    write(styles, NAMES, "styles")
    torch.manual_seed(12)
    write(cases, CASES, "cases")


if __name__ == "__main__":
    main()
