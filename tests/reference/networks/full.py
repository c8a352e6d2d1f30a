"""Full-size networks on the fly, the command line against PyTorch: python tests/reference/networks/full.py target/release/infill

Prints the max abs error of every network, with weights and statistics as training leaves them.
"""

import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

from make import ContextEncoder, Discriminator, EdgeConnect, PairGenerator, lively, numbers, plain


def hold(name, net, inputs, binary, wrap, engine):
    net.train()
    with torch.no_grad():
        if any("weight_u" in key for key in net.state_dict()):
            net(*inputs)
        expected = net.eval()(*inputs)
    with tempfile.TemporaryDirectory() as folder:
        torch.save(wrap(net.state_dict()), f"{folder}/net.pth")
        names = ["x"] if len(inputs) == 1 else ["x1", "x2"]
        save_file(dict(zip(names, [x.contiguous() for x in inputs])), f"{folder}/in.safetensors")
        subprocess.run([binary, "forward", "--weights", f"{folder}/net.pth", "--input", f"{folder}/in.safetensors",
                        "--output", f"{folder}/out.safetensors", "--engine", engine], check=True)
        found = load_file(f"{folder}/out.safetensors")["y"]
    error = (found - expected).abs()
    print(f"{name:28} {engine:10} max {error.max():.2e} mean {error.mean():.2e}")
    return error.max() <= (1e-4 if engine == "reference" else 1e-3)


def main():
    binary = sys.argv[1]
    wrap = lambda sd: {"iteration": 1, "generator": sd}
    rows = [
        ("ContextEncoder 512", lively(ContextEncoder(64)), [numbers((1, 4, 512, 512), 1, 0.0)]),
        ("InpaintGenerator 256", EdgeConnect(64, 4, 3, plain), [numbers((1, 4, 256, 256), 1, 0.0)]),
        ("EdgeGenerator 256", EdgeConnect(64, 3, 1, torch.nn.utils.spectral_norm), [numbers((1, 3, 256, 256), 1, 0.0)]),
        ("image-pair Generator 256", lively(PairGenerator(64, 4000)), [numbers((1, 3, 256, 256), 1), numbers((1, 3, 256, 256), 2)]),
        ("image-pair Discriminator 256", lively(Discriminator(64)), [numbers((1, 3, 256, 256), 1)]),
    ]
    fine = [hold(name, net, inputs, binary, wrap, engine) for name, net, inputs in rows for engine in ["reference", "fast"]]
    sys.exit(0 if all(fine) else 1)


if __name__ == "__main__":
    main()
