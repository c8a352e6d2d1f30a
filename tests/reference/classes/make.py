"""Weights and results of every class in styles.py, by PyTorch: python tests/reference/classes/make.py"""

import json
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../networks")

import styles  # noqa: E402
from make import lively, numbers  # noqa: E402

NAMES = ["Model", "Helpers", "Nested", "Ordered", "Named", "Inherited", "Blocks", "Pyramid", "Shared", "Sizes"]


def main():
    torch.manual_seed(11)
    weights, rows = {}, {}
    for name in NAMES:
        net = lively(getattr(styles, name)()).eval()
        weights[name] = net.state_dict()
        with torch.no_grad():
            y = net(numbers((1, 3, 16, 16), 1))
        rows[name] = {"shape": list(y.shape), "step": 4, "y": [round(float(v), 7) for v in y[:, :, ::4, ::4].reshape(-1)]}
    torch.save(weights, f"{HERE}/styles.pth")
    with open(f"{HERE}/styles.json", "w") as file:
        json.dump(rows, file)


if __name__ == "__main__":
    main()
