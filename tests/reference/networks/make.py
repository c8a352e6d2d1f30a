"""Makes the fixtures beside this file with PyTorch. The tests need only the fixtures.

    python tests/reference/networks/make.py

Inputs are not stored: `numbers(count, seed)` makes them here and in `tests/networks.rs` alike.
"""

import json
import os
import sys

import numpy as np
import torch
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "train"))
import data
from model import ContextUNet
torch.manual_seed(1)
torch.set_num_threads(1)
torch.backends.mkldnn.enabled = False  # oneDNN refuses some valid configurations


def numbers(shape, seed, low=-1.0):
    count = int(np.prod(shape))
    i = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(seed * 7919)
    u = ((i * np.uint64(2654435761)) % np.uint64(2**32)).astype(np.float64) / 2**32
    return torch.tensor((low + (1 - low) * u).astype(np.float32)).reshape(shape)


class ContextEncoder(nn.Module):
    def __init__(self, w):
        super().__init__()
        layers = [nn.Conv2d(4, w, 4, 2, 1), nn.LeakyReLU(0.2)]
        for a, b in [(w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w)] + [(8 * w, 8 * w)] * 5:
            layers += [nn.Conv2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]
        self.encoder = nn.Sequential(*layers)
        layers = []
        for a, b in [(8 * w, 8 * w)] * 4 + [(8 * w, 4 * w), (4 * w, 2 * w), (2 * w, w)]:
            layers += [nn.ConvTranspose2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.ReLU()]
        self.decoder = nn.Sequential(*layers, nn.ConvTranspose2d(w, 3, 4, 2, 1), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


class ResnetBlock(nn.Module):
    def __init__(self, c, norm):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(2), norm(nn.Conv2d(c, c, 3, dilation=2, bias=norm is plain)), nn.InstanceNorm2d(c), nn.ReLU(),
            nn.ReflectionPad2d(1), norm(nn.Conv2d(c, c, 3, bias=norm is plain)), nn.InstanceNorm2d(c))

    def forward(self, x):
        return x + self.conv_block(x)


def plain(layer):
    return layer


class EdgeConnect(nn.Module):
    def __init__(self, w, inputs, outputs, norm):
        super().__init__()
        self.edge = outputs == 1
        self.encoder = nn.Sequential(
            nn.ReflectionPad2d(3), norm(nn.Conv2d(inputs, w, 7)), nn.InstanceNorm2d(w), nn.ReLU(),
            norm(nn.Conv2d(w, 2 * w, 4, 2, 1)), nn.InstanceNorm2d(2 * w), nn.ReLU(),
            norm(nn.Conv2d(2 * w, 4 * w, 4, 2, 1)), nn.InstanceNorm2d(4 * w), nn.ReLU())
        self.middle = nn.Sequential(*[ResnetBlock(4 * w, norm) for _ in range(8)])
        self.decoder = nn.Sequential(
            norm(nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1)), nn.InstanceNorm2d(2 * w), nn.ReLU(),
            norm(nn.ConvTranspose2d(2 * w, w, 4, 2, 1)), nn.InstanceNorm2d(w), nn.ReLU(),
            nn.ReflectionPad2d(3), nn.Conv2d(w, outputs, 7))

    def forward(self, x):
        y = self.decoder(self.middle(self.encoder(x)))
        return torch.sigmoid(y) if self.edge else (torch.tanh(y) + 1) / 2


class PairGenerator(nn.Module):
    def __init__(self, w, bottleneck):
        super().__init__()
        layers = []
        for a, b in [(6, w), (w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w)]:
            layers += [nn.Conv2d(a, b, 3, 2, 1), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]
        self.encoder = nn.Sequential(*layers, nn.Conv2d(8 * w, bottleneck, 1), nn.BatchNorm2d(bottleneck), nn.LeakyReLU(0.2))
        layers = []
        for a, b in [(bottleneck, 8 * w), (8 * w, 4 * w), (4 * w, 2 * w), (2 * w, w)]:
            layers += [nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding=1), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]
        self.decoder = nn.Sequential(*layers, nn.ConvTranspose2d(w, 3, 3, 1, 1), nn.Tanh())

    def forward(self, x1, x2):
        return self.decoder(self.encoder(torch.cat([x1, x2], dim=1)))


class Discriminator(nn.Module):
    def __init__(self, w):
        super().__init__()
        layers = []
        for a, b in [(3, w), (w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w)]:
            layers += [nn.Conv2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]
        self.conv = nn.Sequential(*layers, nn.Conv2d(8 * w, 1, 4), nn.Sigmoid())

    def forward(self, x):
        return self.conv(x)


def lively(net):
    """Weights and statistics as training leaves them, not as initialised."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.1, 1.0)
            module.num_batches_tracked.fill_(1234)
    return net


def grown(net):
    """The context branch as training leaves it: it starts from zeros."""
    nn.init.normal_(net.body[1].mix[2].weight, std=0.3)
    nn.init.normal_(net.body[1].mix[2].bias, std=0.3)
    return net


def save(name, net, inputs, wrap, step=1, **options):
    net.train()
    with torch.no_grad():
        if any("weight_u" in key for key in net.state_dict()):
            for _ in range(5):  # power iterations
                net(*inputs)
        net.eval()
        y = net(*inputs)
    torch.save(wrap(net.state_dict()), f"{HERE}/{name}.pth", **options)
    return {"file": f"{name}.pth", "inputs": [list(x.shape) for x in inputs], "step": step,
            "shape": list(y.shape), "y": [round(float(v), 7) for v in y[:, :, ::step, ::step].reshape(-1)]}


def networks():
    x = numbers((1, 4, 512, 512), 1, 0.0)
    prefixed = lambda sd: {"iteration": 7, "generator": type(sd)(("module." + k, v) for k, v in sd.items())}
    rows = {
        "context-encoder": save("context-encoder", lively(ContextEncoder(2)), [x], prefixed, 16,
                                _use_new_zipfile_serialization=False),
        "edgeconnect-inpaint": save("edgeconnect-inpaint", EdgeConnect(4, 4, 3, plain), [numbers((1, 4, 32, 44), 1, 0.0)],
                                    lambda sd: {"iteration": 1, "generator": sd}, 4, _use_new_zipfile_serialization=False),
        "edgeconnect-edge": save("edgeconnect-edge", EdgeConnect(4, 3, 1, nn.utils.spectral_norm),
                                 [numbers((1, 3, 32, 44), 1, 0.0)], lambda sd: {"iteration": 1, "generator": sd}, 4),
        "image-pair": save("image-pair", lively(PairGenerator(4, 30)),
                           [numbers((1, 3, 32, 48), 1), numbers((1, 3, 32, 48), 2)], lambda sd: sd, 4),
        "image-pair-discriminator": save("image-pair-discriminator", lively(Discriminator(4)), [numbers((1, 3, 80, 96), 1)],
                                         lambda sd: {"discriminator": sd}),
        "default": save("context-unet", grown(ContextUNet(2)), [numbers((1, 4, 64, 96), 1, 0.0)], lambda sd: sd, 4),
        "edgeconnect-edge-without-spectral-norm": {"model": "edgeconnect-edge", **save(
            "edgeconnect-edge-plain", EdgeConnect(4, 3, 1, plain), [numbers((1, 3, 32, 44), 1, 0.0)],
            lambda sd: {"iteration": 1, "generator": sd}, 4)},
    }
    with open(f"{HERE}/networks.json", "w") as file:
        json.dump(rows, file)


def both():
    """Generator and discriminator in one file, as training scripts keep them."""
    generator, discriminator = torch.load(f"{HERE}/image-pair.pth"), torch.load(f"{HERE}/image-pair-discriminator.pth")
    torch.save({"epoch": 9, "generator": generator, "discriminator": discriminator["discriminator"]}, f"{HERE}/image-pair-both.pth")


def layers():
    """Random configurations, then those of `grouped`: the valid with their outputs, the invalid with PyTorch's words."""
    random = np.random.RandomState(7)
    pick = lambda *options: options[random.randint(len(options))]
    pair = lambda low, high: [int(random.randint(low, high + 1)), int(random.randint(low, high + 1))]
    rows, values = [], []
    def add(row, x_shape):
        seed = len(rows)
        row["x"] = x_shape
        try:
            layer = layer_of(row)
            with torch.no_grad():
                layer.weight.copy_(numbers(layer.weight.shape, seed + 1))
                if layer.bias is not None:
                    layer.bias.copy_(numbers(layer.bias.shape, seed + 2))
                y = layer(numbers(x_shape, seed))
            row["y"] = list(y.shape)
            values.append(y.numpy().astype(np.float32).reshape(-1))
        except (RuntimeError, ValueError) as error:
            row["error"] = str(error)[:200]
        rows.append(row)
    for index in range(1040):
        groups = pick(1, 1, 1, 2, 3)
        cin, cout = groups * random.randint(1, 4), groups * random.randint(1, 4)
        if random.randint(40) == 0:
            cin += 1
        row = {"op": "ConvTranspose2d", "in": int(cin), "out": int(cout), "kernel": pair(1, 4), "stride": pair(1, 3),
               "padding": pair(0, 2), "output_padding": pick([0, 0], [0, 0], pair(0, 2)), "dilation": pick([1, 1], pair(1, 3)),
               "groups": groups, "bias": bool(random.randint(2))}
        add(row, [pick(1, 1, 2), int(cin)] + pair(1, 4))
    for index in range(420):
        groups = pick(1, 1, 1, 2, 3)
        cin, cout = groups * random.randint(1, 4), groups * random.randint(1, 4)
        if random.randint(40) == 0:
            cin += 1
        row = {"op": "Conv2d", "in": int(cin), "out": int(cout), "kernel": pair(1, 4), "stride": pair(1, 3),
               "padding": pair(0, 2), "dilation": pick([1, 1], pair(1, 3)), "groups": groups, "bias": bool(random.randint(2)),
               "padding_mode": pick("zeros", "zeros", "reflect", "replicate", "circular")}
        add(row, [pick(1, 1, 2), int(cin)] + pair(2, 7))
    for row, side in grouped():
        add(row, [1, row["in"]] + side)
    with open(f"{HERE}/layers.json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    np.concatenate(values).tofile(f"{HERE}/layers.f32")
    print(sum("y" in r for r in rows), "valid,", sum("error" in r for r in rows), "invalid")


def layer_of(row):
    """The layer of a row of the table."""
    pairs = lambda *names: [tuple(row[name]) for name in names]
    if row["op"] == "Conv2d":
        return nn.Conv2d(row["in"], row["out"], *pairs("kernel", "stride", "padding", "dilation"), row["groups"], row["bias"],
                         row["padding_mode"])
    return nn.ConvTranspose2d(row["in"], row["out"], *pairs("kernel", "stride", "padding", "output_padding"), row["groups"],
                              row["bias"], tuple(row["dilation"]))


def grouped():
    """Depthwise and grouped convolutions as networks have them, wider than the random rows: (row, sides of the input)."""
    def conv(a, b, groups, kernel, stride=1, padding=1, side=(5, 7), dilation=1, mode="zeros"):
        for bias in [False, True]:
            yield {"op": "Conv2d", "in": a, "out": b, "kernel": [kernel] * 2, "stride": [stride] * 2, "padding": [padding] * 2,
                   "dilation": [dilation] * 2, "groups": groups, "bias": bias, "padding_mode": mode}, list(side)
    def transposed(a, b, groups, kernel, output_padding=0, side=(3, 4)):
        for bias in [False, True]:
            yield {"op": "ConvTranspose2d", "in": a, "out": b, "kernel": [kernel] * 2, "stride": [2, 2], "padding": [1, 1],
                   "output_padding": [output_padding] * 2, "dilation": [1, 1], "groups": groups, "bias": bias}, list(side)
    for c in [8, 16, 13, 5]:
        yield from conv(c, c, c, 3)
        yield from conv(c, c, c, 3, stride=2)
        yield from conv(c, c, c, 4, stride=2)
        yield from transposed(c, c, c, 4)
        yield from transposed(c, c, c, 3, output_padding=1)
    yield from conv(8, 8, 8, 3, side=(1, 1))
    yield from conv(13, 13, 13, 3, side=(9, 2))
    yield from conv(8, 8, 8, 3, padding=2, dilation=2)
    yield from conv(8, 8, 8, 3, mode="reflect")
    yield from conv(8, 16, 8, 3)  # two filters a channel
    yield from transposed(8, 16, 8, 4)
    for a, b, groups in [(8, 8, 2), (8, 12, 4), (16, 8, 2), (12, 20, 4), (6, 10, 2), (32, 16, 4)]:
        yield from conv(a, b, groups, 1, padding=0)
        yield from conv(a, b, groups, 3)
        yield from conv(a, b, groups, 4, stride=2, side=(6, 8))
        yield from transposed(a, b, groups, 4)
        yield from transposed(a, b, groups, 3, output_padding=1)


def output_sizes():
    """`forward(x, output_size=...)`: the size PyTorch gives, or its words."""
    random = np.random.RandomState(11)
    pair = lambda low, high: [int(random.randint(low, high + 1)), int(random.randint(low, high + 1))]
    rows = []
    for _ in range(300):
        row = {"kernel": pair(1, 4), "stride": pair(1, 3), "padding": pair(0, 1), "dilation": pair(1, 2), "input": pair(1, 5)}
        layer = nn.ConvTranspose2d(1, 1, row["kernel"], row["stride"], row["padding"], dilation=row["dilation"])
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in zip(row["input"], row["stride"], row["padding"], row["dilation"], row["kernel"])]
        if min(least) < 1:
            continue
        row["output_size"] = [max(1, n + int(random.randint(-1, 4))) for n in least] if random.randint(2) else [n + int(random.randint(s)) for n, s in zip(least, row["stride"])]
        try:
            row["y"] = list(layer(torch.zeros(1, 1, *row["input"]), output_size=row["output_size"]).shape[2:])
        except (RuntimeError, ValueError) as error:
            row["error"] = str(error)
        rows.append(row)
    with open(f"{HERE}/output_sizes.json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    print(sum("y" in r for r in rows), "sizes,", sum("error" in r for r in rows), "refused")


def smooth():
    """How the default model's holes are continued, odd sides and a hole over the border included."""
    x = (numbers((1, 1, 21, 30), 3) + 1) / 2
    mask = torch.zeros_like(x)
    mask[:, :, 4:17, 7:22] = 1
    mask[:, :, 10:, 24:] = 1
    y = data.smooth(x, mask)
    flat = lambda t: [round(float(v), 6) for v in t.flatten()]
    with open(f"{HERE}/smooth.json", "w") as file:
        json.dump({"width": 30, "height": 21, "x": flat(x), "mask": flat(mask), "y": flat(y)}, file)


if __name__ == "__main__":
    networks()
    smooth()
    both()
    output_sizes()
    layers()
