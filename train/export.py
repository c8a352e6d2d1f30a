"""Writes the best weights of a run as f16 safetensors. See README.md."""
import argparse
import os

import torch
from safetensors.torch import save_file

import data
from model import ContextUNet

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--best", default=os.path.join(HERE, "runs", "default", "best.pth"))
    parser.add_argument("--output", default=os.path.join(HERE, "..", "www", "models", "default.safetensors"))
    parser.add_argument("--example", help="also write an input x and this model's output y, for the tests")
    options = parser.parse_args()
    best = torch.load(options.best)
    weights = {key: value.contiguous().half() for key, value in best["net"].items()}
    for key, value in weights.items():
        if not torch.isfinite(value).all():
            raise SystemExit(f"{key} does not fit into f16")
    metadata = {"architecture": "ContextUNet", "base_width": "32", "step": str(best["step"]), "licence": "CC BY-SA 4.0"}
    save_file(weights, options.output, metadata=metadata)
    print(f"{options.output}: step {best['step']}, {os.path.getsize(options.output)} bytes, {best['metrics']}")
    if options.example:
        net = ContextUNet()
        net.load_state_dict({key: value.float() for key, value in weights.items()})
        torch.manual_seed(1)
        # Smooth noise, so that the network sees something like a picture.
        x = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 12) * 2 - 1, size=(64, 96), mode="bicubic").clamp(-1, 1)
        mask = torch.zeros(1, 1, 64, 96)
        mask[:, :, 20:44, 30:70] = 1
        x = torch.cat([data.smooth(x, mask), mask], 1)
        with torch.no_grad():
            save_file({"x": x, "y": net(x)}, options.example)


if __name__ == "__main__":
    main()
