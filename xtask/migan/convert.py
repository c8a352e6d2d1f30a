"""Makes www/models/migan-512.safetensors of the authors' MI-GAN 512 weights.

    python xtask/migan/convert.py --weights migan_512_places2.pt

What never changes is left out: the blur filters, `filter_const`, and the noise's factors, which are multiplied into its maps.
The rest is stored in 16 bits, with the authors' licence in the file's metadata. Tests need only the result.
"""

import argparse
import os

import torch
from safetensors.torch import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "..", "..", "www", "models")
FIXED = (".filter.weight", ".filter_const", ".noise_strength")


def read(path):
    if path.endswith(".safetensors"):
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def check_filters(state):
    """The filters that the network builds itself must be those of the file."""
    row = torch.tensor([1.0, 3.0, 3.0, 1.0])
    for key, value in state.items():
        if key.endswith(".filter.weight"):
            expected = torch.outer(row, row) / (16 if ".upsample." in key else 64)
            if not torch.equal(value.float(), expected.expand_as(value)):
                raise SystemExit(f"{key} is no binomial filter: it has to be kept")


def converted(state):
    weights = {}
    for key, value in state.items():
        if key.endswith(FIXED):
            continue
        if key.endswith(".noise_const"):
            value = value * state.get(key.replace("noise_const", "noise_strength"), 1.0)
        weights[key] = value.half().contiguous()
        if not torch.isfinite(weights[key]).all():
            raise SystemExit(f"{key} does not fit into 16 bits")
    return weights


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True, help="the authors' state dict: .pt or .safetensors")
    parser.add_argument("--output", default=os.path.join(MODELS, "migan-512.safetensors"))
    options = parser.parse_args()
    state = read(options.weights)
    check_filters(state)
    with open(os.path.join(MODELS, "migan-512.LICENSE.txt")) as file:
        notice = file.read()
    metadata = {
        "architecture": "MI-GAN 512",
        "trained_on": "Places2",
        "source": "https://github.com/Picsart-AI-Research/MI-GAN",
        "licence": "MIT",
        "notice": notice,
    }
    save_file(converted(state), options.output, metadata=metadata)
    print(f"{options.output}: {os.path.getsize(options.output)} bytes")


if __name__ == "__main__":
    main()
