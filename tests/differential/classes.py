"""Random small classes, in PyTorch and in infill: whatever both compute must be the same.

    python tests/differential/classes.py [--count 500] [--seed 0] [--infill target/debug/infill] [--keep FOLDER]

Writes `count` classes that use what `docs/classes.md` lists (layers, views, in-place operations through aliases, Python's
formats, closures, containers), runs each in PyTorch and, with the same weights, by `infill forward` on both engines, and
compares. A class that PyTorch itself refuses is thrown away. A class that infill refuses is counted by the reason, and is no
difference: a wrong number is. Not run by the test suite; what it has found is held by `tests/reference/classes/cases.py`.

Needs torch, safetensors and numpy.
"""

import argparse
import collections
import os
import random
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
from safetensors.torch import load_file, save_file

TOLERANCE = 1e-4
HEADER = """import math
from collections import OrderedDict
from functools import partial

import torch
import torch.nn as nn
import torch.nn.functional as F
"""


class Writer:
    """Writes one class: the lines of `__init__`, and those of `forward` with the tensors that are at hand."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.init, self.forward, self.counter = [], [], 0
        # Tensors of [1, 8, 16, 16] by name; several names may be one tensor.
        self.names = []

    def name(self, stem):
        self.counter += 1
        return f"{stem}{self.counter}"

    def pick(self):
        return self.random.choice(self.names)

    def layer(self):
        """A new layer that keeps the shape; its attribute."""
        name, r = self.name("layer"), self.random
        inplace = r.choice(["", "inplace=True", "True"])
        activations = [
            f"nn.ReLU({inplace})", f"nn.LeakyReLU(0.2{', ' + inplace if inplace else ''})", f"nn.ELU({r.choice(['', 'inplace=True'])})",
            "nn.Sigmoid()", "nn.Tanh()", "nn.GELU()", "nn.SiLU()", "nn.PReLU()", "nn.PReLU(8)", "nn.Softplus()",
            f"nn.Hardtanh({r.choice(['', 'inplace=True'])})", "nn.Identity()", f"nn.Dropout({r.choice(['', '0.3, inplace=True'])})", "nn.Mish()", "nn.Hardswish()",
        ]
        convolutions = [
            "nn.Conv2d(8, 8, 3, padding=1)", "nn.Conv2d(8, 8, 1, bias=False)", "nn.Conv2d(8, 8, (1, 3), padding=(0, 1), groups=2)",
            "nn.Conv2d(8, 8, 3, padding=2, dilation=2, padding_mode='reflect')", "nn.ConvTranspose2d(8, 8, 3, padding=1)",
        ]
        norms = ["nn.BatchNorm2d(8)", "nn.InstanceNorm2d(8)", "nn.InstanceNorm2d(8, affine=True)", "nn.GroupNorm(4, 8)"]
        kind = r.random()
        if kind < 0.45:
            text = r.choice(convolutions)
        elif kind < 0.8:
            text = r.choice(activations)
        elif kind < 0.9:
            text = r.choice(norms)
        else:
            text = f"nn.Sequential({r.choice(activations)}, {r.choice(convolutions)}, {r.choice(activations)})"
        self.register(name, text)
        return f"self.{name}"

    def register(self, name, text):
        r = self.random
        how = r.random()
        if how < 0.6:
            self.init.append(f"self.{name} = {text}")
        elif how < 0.7:
            self.init.append(f"setattr(self, {self.text_of(name)}, {text})")
        elif how < 0.8:
            self.init.append(f"self.add_module({self.text_of(name)}, {text})")
        elif how < 0.9:
            items = self.name("items")
            self.init.append(f"{items} = [nn.Identity(), {text}, nn.Tanh()]")
            self.init.append(r.choice([f"del {items}[-1]", f"{items}.pop()", f"{items} = {items}[:-1]", f"del {items}[2:]"]))
            self.init.append(f"self.{name} = nn.Sequential(*{items})")
        else:
            made = self.name("make")
            self.init.append(f"def {made}(width=8, count=[]):")
            self.init.append("    count.append(1)")
            self.init.append(f"    return nn.Sequential({text}, *[nn.ReLU() for _ in count])")
            if r.random() < 0.5:
                self.init.append(f"{made}()")
            self.init.append(f"self.{name} = {made}()")

    def text_of(self, name):
        """An expression that gives this name as a text."""
        stem, number = re.match(r"([a-z]+)(\d+)", name).groups()
        ways = [
            f"'{name}'", f"'{stem}{{:d}}'.format({number})", f"'{stem}%d' % {number}", f"f'{stem}{{{number}}}'",
            f"'{stem}{{}}'.format({number})", f"'{{0}}{{1}}'.format('{stem}', {number})", f"'{stem}' + str({number})",
            f"f'{{\"{stem}\"}}{{{number}:d}}'", f"'{{name}}{number}'.format(name='{stem}')", f"''.join(['{stem}', '{number}'])",
            f"'%s%i' % ('{stem}', {number})", f"'{stem.upper()}{number}'.lower()", f"'{stem}_{number}'.replace('_', '')",
        ]
        return self.random.choice(ways)

    def value(self):
        """An expression of a tensor of the usual shape."""
        r, x, y = self.random, self.pick(), self.pick()
        c = round(r.uniform(-2, 2), 2)
        ways = [
            f"{x} + {y}", f"{x} - {y}", f"{x} * {y}", f"{x} / ({y}.abs() + 1)", f"{c} * {x}", f"{x} + {c}", f"{c} - {x}", f"{x} / {c or 1}",
            f"torch.where({x} > {c}, {x}, {y})", f"{x}.masked_fill({y} > 0.5, {c})", f"{x}.clamp(-1, 1)", f"torch.clamp({x}, min={c})",
            f"{x} * (({y} > 0).float())", f"{x}.softmax(dim={r.choice([1, -1, 2])})", f"F.softmax({x}, 1)", f"{x} - {x}.mean((2, 3), keepdim=True)",
            f"{x} / ({x}.std(dim={r.choice(['1', '(2, 3)', '-1'])}, keepdim=True) + 1)", f"{x} * {y}.mean(1, True)", f"{x} - {x}.amax(dim=(2, 3), keepdim=True)",
            f"({x} ** 2).sum(1, keepdim=True).sqrt() * {y} * 0.1", f"torch.exp(-{x}.abs())", f"torch.sqrt({x}.abs() + 0.1)", f"{x}.pow(2) * 0.5",
            f"torch.cat([{x}[:, :4], {y}[:, 4:]], 1)", f"torch.cat(({x}, {y}), dim=1).chunk(2, 1)[{r.choice([0, 1])}]", f"torch.stack([{x}, {y}], 0).sum(0)",
            f"sum(torch.split({x}, 4, dim=1)).repeat(1, 2, 1, 1)", f"{x}.view(1, 2, 4, 16, 16).transpose(1, 2).contiguous().view(1, 8, 16, 16)",
            f"{x}.permute(0, 2, 3, 1).permute(0, 3, 1, 2)", f"{x}.flatten(2).reshape(1, 8, 16, -1)", f"{x}.flip(3)", f"torch.roll({x}, (1, -2), (2, 3))",
            f"F.interpolate(F.avg_pool2d({x}, 2), scale_factor=2)", f"F.interpolate(F.max_pool2d({x}, 2), size={x}.shape[2:], mode='bilinear', align_corners={r.choice([True, False])})",
            f"F.interpolate({x}[:, :, :11, :7], (16, 16), mode='{r.choice(['nearest', 'bilinear', 'bicubic', 'area'])}')", f"F.pixel_shuffle({x}.repeat(1, 4, 1, 1), 2)[:, :, ::2, 1::2]",
            f"F.adaptive_avg_pool2d({x}, 1) * {y}", f"F.adaptive_avg_pool2d({x}, (5, 3)).mean((2, 3), keepdim=True) + {y}", f"F.unfold({x}, 3, padding=1)[:, :8].view(1, 8, 16, 16)",
            f"F.fold(F.unfold({x}, 2, stride=2), (16, 16), 2, stride=2)", f"torch.bmm({x}.flatten(2).transpose(1, 2), {y}.flatten(2)).mean(1).view(1, 1, 16, 16) * {x}",
            f"({x}.flatten(2) @ {y}.flatten(2).transpose(1, 2) * 0.01).softmax(-1).sum(-1)[:, :, None, None] * {x}", f"F.pad({x}, (1, 1, 1, 1), mode='reflect')[:, :, 1:-1, 1:-1]",
            f"{x}.clone()", f"{x}.detach()", f"F.normalize({x}, dim=1)", f"{x}.expand(2, 8, 16, 16)[1:]", f"torch.max({x}, {y})", f"{x}.max(1, keepdim=True)[0] + {y}",
            f"torch.zeros_like({x}) + {y}", f"{x} * torch.ones(1, 8, 1, 1)", f"torch.linspace(-1, 1, 16).view(1, 1, 1, 16) * {x}", f"F.leaky_relu({x}, 0.1)",
            f"F.layer_norm({x}, [16, 16])", f"torch.sigmoid({x}) if {r.choice(['self.flag', 'not self.flag', f'{x}.size(1) == 8', 'len(self.sizes) > 2'])} else torch.tanh({x})",
            f"F.conv2d({x}, self.kernel, padding=1, groups=8)", f"{x} * self.scale", f"{x} + self.offset", f"(lambda a, b={c}: a * b)({x})", f"{x}[..., :8].repeat(1, 1, 1, 2)",
            f"torch.cumsum({x}, 1) * 0.1", f"{x}.unsqueeze(1).squeeze(1)", f"{x}.contiguous()", f"({x} > {y}) * {x}", f"torch.ge({x}, {c}).float() * {y}",
        ]
        return r.choice(ways)

    def in_place(self):
        """A statement that changes a tensor in place, perhaps through a view."""
        r, x, y = self.random, self.pick(), self.pick()
        c = round(r.uniform(-1.5, 1.5), 2)
        ways = [
            f"{x} += {y}", f"{x} -= {y} * 0.5", f"{x} *= {c}", f"{x} /= 2", f"{x} *= {y}", f"{x}.relu_()", f"F.relu({x}, inplace=True)", f"F.leaky_relu_({x}, 0.2)",
            f"{x}.clamp_(-1, 1)", f"{x}.mul_({c})", f"{x}.add_({y}, alpha={c})", f"{x}[:, :3] = {c}", f"{x}[:, 2:5] += {y}[:, :3]", f"{x}[:, :, ::2] *= {c}", f"{x}[:, 1].zero_()",
            f"{x}.view(1, -1)[:, :300].mul_({c})", f"{x}.transpose(1, 2)[:, :4].add_({c})", f"{x}.permute(0, 2, 3, 1)[..., 0] = 1", f"{x}.copy_({y})", f"{x}.masked_fill_({y} > 0.3, {c})",
            f"{x}[{x} > 1] = {c}", f"torch.tanh_({x})", f"{x}.chunk(2, 1)[0].relu_()", f"{x}.flatten(1)[:, 5:9].fill_({c})", f"{x}.squeeze(0)[3] *= {c}", f"{x}[0, 0, 0, 0] = {c}",
            f"{x}.reshape(8, 256)[1:3] += 1", f"{x}.contiguous().mul_({c})", f"{x}.clone().zero_()", f"{x}.detach().mul_(0.5)", f"{x}[..., None].add_({c})",
        ]
        return r.choice(ways)

    def statement(self):
        r = self.random
        kind = r.random()
        if kind < 0.34:
            name = self.name("t")
            self.forward.append(f"{name} = {self.layer()}({self.pick()})")
            self.names.append(name)
        elif kind < 0.62:
            name = self.name("t") if r.random() < 0.7 else self.pick()
            self.forward.append(f"{name} = {self.value()}")
            if name not in self.names:
                self.names.append(name)
        elif kind < 0.72:
            name = self.name("alias")
            self.forward.append(f"{name} = {self.pick()}")
            self.names.append(name)
        elif kind < 0.9:
            self.forward.append(self.in_place())
        elif kind < 0.95:
            held, x, y = self.name("held"), self.pick(), self.pick()
            key = f"h{r.randint(1, 9)}"
            self.forward.append(f"{held} = {{{self.text_of(key)}: {x}, 'b': {y}}}")
            name = self.name("t")
            self.forward.append(f"{name} = {held}.pop({self.text_of(key)})" if r.random() < 0.5 else f"{name} = {held}[{self.text_of(key)}]")
            self.names.append(name)
        else:
            self.forward.append(f"for i in range({r.randint(1, 3)}):")
            self.forward.append(f"    {self.pick()} {r.choice(['+=', '*='])} {r.choice(['0.5', 'i + 0.25', self.pick()])}")

    def source(self):
        self.init += [
            f"self.flag = {self.random.choice([True, False])}",
            "self.sizes = [1, 2, 3]",
            "self.register_buffer('kernel', torch.ones(8, 1, 3, 3))",
            "self.scale = nn.Parameter(torch.ones(1, 8, 1, 1))",
            "self.offset = nn.Parameter(torch.zeros(1))",
            "self.first = nn.Conv2d(3, 8, 3, padding=1)",
            "self.last = nn.Conv2d(8, 3, 1)",
        ]
        self.forward.append("a = self.first(x)")
        self.names.append("a")
        for _ in range(self.random.randint(4, 14)):
            self.statement()
        total = " + ".join(self.names[-3:])
        self.forward.append(f"return self.last({total})")
        lines = [HEADER, "", "class Net(nn.Module):", "    def __init__(self):", "        super().__init__()"]
        lines += [f"        {line}" for line in self.init]
        lines += ["", "    def forward(self, x):"] + [f"        {line}" for line in self.forward]
        return "\n".join(lines) + "\n"


def expected(source, x):
    """The weights and PyTorch's output; None if PyTorch refuses the class, or its numbers are no test."""
    space = {}
    try:
        exec(compile(source, "net.py", "exec"), space)
        net = space["Net"]().eval()
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for key, value in net.state_dict().items():
                if value.dtype.is_floating_point:
                    value.copy_(torch.randn(value.shape, generator=generator) * 0.3)
                    if key.endswith("running_var"):
                        value.abs_().add_(0.5)
            weights = {key: value.clone() for key, value in net.state_dict().items()}
            y = net(x.clone())
    except Exception:
        return None
    is_test = torch.isfinite(y).all() and y.abs().max() < 1e3
    return (weights, y) if is_test else None


def run(infill, folder, engine):
    arguments = [infill, "forward", "--class", "net.py", "--weights", "net.pth", "--input", "x.safetensors"]
    result = subprocess.run(arguments + ["--output", "y.safetensors", "--engine", engine], cwd=folder, capture_output=True, text=True)
    return result.returncode, result.stderr.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--infill", default="target/debug/infill")
    parser.add_argument("--keep", help="where classes that differ are kept")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    infill = os.path.abspath(options.infill)
    refused, counts = collections.Counter(), collections.Counter()
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    seed = options.seed
    while counts["tried"] < options.count:
        seed += 1
        source = Writer(seed).source()
        wanted = expected(source, x)
        if wanted is None:
            counts["refused by PyTorch"] += 1
            continue
        counts["tried"] += 1
        with tempfile.TemporaryDirectory() as folder:
            weights, y = wanted
            torch.save(weights, f"{folder}/net.pth")
            save_file({"x": x}, f"{folder}/x.safetensors")
            with open(f"{folder}/net.py", "w") as file:
                file.write(source)
            for engine in ("fast", "reference"):
                code, error = run(infill, folder, engine)
                if code:
                    counts["refused by infill"] += engine == "fast"
                    if engine == "fast":
                        refused[re.sub(r"[\d\[\](), ]+", " ", error.splitlines()[0])[:90] if error else str(code)] += 1
                    continue
                found = load_file(f"{folder}/y.safetensors")["y"]
                worst = float((found - y).abs().max()) if found.shape == y.shape else np.inf
                if not worst <= TOLERANCE * max(1.0, float(y.abs().max())):
                    counts["different"] += 1
                    print(f"seed {seed}, {engine}: differs by {worst:g}", flush=True)
                    if options.keep:
                        os.makedirs(options.keep, exist_ok=True)
                        with open(f"{options.keep}/{seed}.py", "w") as file:
                            file.write(source)
                else:
                    counts[f"equal on {engine}"] += 1
    print(dict(counts))
    for reason, count in refused.most_common(30):
        print(f"{count:6} {reason}")
    sys.exit(1 if counts["different"] else 0)


if __name__ == "__main__":
    main()
