"""The lines of Python that infill shows for a class and a file, each run as it is: python tests/reference/classes/loading.py INFILL

Writes `loading.json`: by file, the lines, after PyTorch has loaded with them what `../checkpoints/expected.json` says.
"""

import json
import os
import pathlib
import subprocess
import sys
import types

import torch

HERE = pathlib.Path(__file__).parent.resolve()
FOLDER = HERE.parent / "checkpoints"
FILES = ["edgeconnect-wrapper.pth", "training.pth", "lightning.ckpt", "ema.pth", "ema-of-model.pth", "ema-number.pth", "both.pth",
         "whole-module.pth", "whole-module-legacy.pth", "scripted.pt"]


def main(infill):
    names = {}
    exec((HERE / "lines.py").read_text(), names)
    # What whole modules were pickled from.
    models = types.ModuleType("somewhere.models")
    models.Net = names["Net"]
    sys.modules["somewhere"], sys.modules["somewhere.models"] = types.ModuleType("somewhere"), models
    expected = json.loads((FOLDER / "expected.json").read_text())
    os.chdir(FOLDER)
    lines = {}
    for file in FILES:
        out = subprocess.run([infill, "inspect", file, "--class", str(HERE / "lines.py"), "--json"], check=True, capture_output=True)
        report = json.loads(out.stdout)
        assert report["state"] == "fits", (file, report["message"])
        code = report["loading"]["code"]
        net = names["Net"]()
        exec(code, {"net": net})
        assert not net.training
        for key, value in net.state_dict().items():
            wanted = torch.tensor(expected[file]["tensors"][key]["values"], dtype=torch.float64)
            assert torch.equal(value.double().reshape(-1), wanted), (file, key)
        lines[file] = code
    (HERE / "loading.json").write_text(json.dumps(lines, indent=1) + "\n")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
