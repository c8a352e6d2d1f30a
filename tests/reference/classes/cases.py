"""Classes whose numbers depend on how PyTorch and Python treat memory, names and texts; each takes [1, 3, 16, 16].

`make.py` runs them. One class for each kind of thing that a reader may get wrong in silence.
"""

import math
from collections import OrderedDict
from functools import partial

import torch
import torch.nn as nn
import torch.nn.functional as F


class Base(nn.Module):
    """Two convolutions, which every case has."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3, padding=1)
        self.b = nn.Conv2d(8, 8, 3, padding=1)
        self.c = nn.Conv2d(8, 3, 1)


class InplaceBeforeSkip(Base):
    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(8, 8, 1), nn.LeakyReLU(0.3, True))

    def forward(self, x):
        x = self.a(x)
        out = self.block(x)
        out += x
        return self.c(out)


class FunctionalInplace(Base):
    def forward(self, x):
        e = self.a(x)
        d = self.b(F.relu(e, inplace=True))
        return self.c(d + e + F.elu_(e - 1))


class UnderscoreMethods(Base):
    def forward(self, x):
        x = self.a(x)
        y = x.relu_()
        z = y.mul_(0.5).add_(1, alpha=2)
        return self.c(x + y + z)


class AugmentedAlias(Base):
    def forward(self, x):
        x = self.a(x)
        skip = x
        held = [x, {"x": x}]
        x += self.b(x)
        held[1]["x"] *= 0.5
        x = x - 1
        return self.c(x + skip + held[0])


class Views(Base):
    def forward(self, x):
        x = self.a(x)
        first, second = x.chunk(2, dim=1)
        first += 1
        x[:, 5] = 0.25
        x[:, :, ::2, 1::3] *= 2
        x.transpose(1, 2)[:, 3:7].add_(0.5)
        x.view(1, -1)[:, :100].clamp_(-1, 1)
        second.flatten(1)[:, 10:20].zero_()
        x[x > 1.5] = 1.5
        return self.c(x + torch.cat([second, first], 1))


class CopiesAreNoViews(Base):
    def forward(self, x):
        x = self.a(x)
        turned = x.permute(0, 2, 3, 1).reshape(1, 16, 128)
        turned += 5
        x.clone().zero_()
        x.permute(0, 2, 3, 1).contiguous().mul_(0)
        x.contiguous()[:, 0] = 3
        (x + 0).zero_()
        rows = x.reshape(1, 128, 16)
        rows *= 0.5
        return self.c(x) + turned.mean()


class ViewsOfViews(Base):
    def forward(self, x):
        x = self.a(x)
        part = x[:, 2:6]
        inner = part.permute(0, 2, 3, 1)[..., 1:3]
        x *= 2
        inner -= 1
        part[:, 3].fill_(0.125)
        return self.c(x + inner.sum())


class Formats(Base):
    def __init__(self):
        super().__init__()
        for i in range(3):
            setattr(self, "block_{:02d}".format(i), nn.Conv2d(8, 8, 1))
            self.add_module("norm%03d" % i, nn.BatchNorm2d(8))
            setattr(self, f"{'act'}_{i:>2}".replace(" ", "x"), nn.PReLU(init=0.1 * i))
        setattr(self, "{name}{0:x}".format(255, name="hex"), nn.Conv2d(8, 8, 1))
        setattr(self, str(7).zfill(3), nn.Conv2d(8, 8, 1))

    def forward(self, x):
        x = self.a(x)
        kept = {}
        for i in range(3):
            x = getattr(self, "block_{:02d}".format(i))(x)
            x = getattr(self, "norm%03d" % i)(x)
            x = getattr(self, "act_x%d" % i)(x)
            kept["h_{:d}".format(i)] = x
        x = kept.pop("h_2") + kept["h_{}".format(0)] + kept[f"h_{1:d}"]
        assert len(kept) == 2
        return self.c(self.hexff(x) + getattr(self, "007")(x))


class Deletions(Base):
    def __init__(self):
        super().__init__()
        layers = []
        for _ in range(3):
            layers += [nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()]
        del layers[-1]
        self.net = nn.Sequential(*layers)
        options = {"bias": False, "unused": 1, "groups": 2}
        options.pop("unused")
        del options["bias"]
        self.d = nn.Conv2d(8, 8, 1, **options)
        self.gone = nn.Conv2d(1, 1, 1)
        del self.gone

    def forward(self, x):
        x = self.a(x)
        y = x
        del x
        return self.c(self.d(self.net(y)))


COUNT = 0


def made(width, seen=[]):
    """Its default is made once."""
    seen.append(width)
    return nn.Conv2d(8, 8, 2 * len(seen) - 1, padding=len(seen) - 1)


class Scopes(Base):
    def __init__(self):
        super().__init__()
        width, rate = 8, 1

        def block(out, kept=rate):
            nonlocal width, rate
            layer = nn.Conv2d(width, out, 3, padding=rate, dilation=rate)
            width, rate = out, rate * 2 + kept - 1
            return layer

        self.net = nn.Sequential(block(4), nn.ReLU(), block(6), nn.ReLU(), block(8))
        self.made = nn.ModuleList([made(1)])
        self.made += [made(2), made(3)]
        self.scales = [lambda t, k=k: t * k for k in (0.5, 2.0)]
        self.late = [lambda t: t + k for k in (0.5, 2.0)]

    def count(self):
        global COUNT
        COUNT += 1
        return COUNT

    def forward(self, x):
        global COUNT
        COUNT = 0
        x = self.net(self.a(x))
        for layer in self.made:
            x = layer(x) * self.count()
        for scale in self.scales + self.late:
            x = scale(x)
        return self.c(x)


class Loops(Base):
    def forward(self, x):
        x = self.a(x)
        stack = [x]
        for item in stack:
            if len(stack) < 4:
                stack.append(self.b(item))
        for i in range(5):
            if i == 7:
                break
        else:
            x = x * 2
        i = 3
        while i:
            i -= 1
            if i == 1:
                break
        else:
            x = x * 100
        first, *middle, last = stack
        flags = 1 < len(middle) <= 2 < 3
        return self.c(x + last + sum(middle) * (0.5 if flags else 2))


class Buffers(Base):
    def __init__(self):
        super().__init__()
        kernel = torch.tensor([1.0, 2.0, 1.0])
        kernel = kernel[:, None] * kernel[None, :]
        self.register_buffer("kernel", (kernel / kernel.sum()).expand(8, 1, 3, 3).clone(), persistent=False)
        self.register_buffer("stored", torch.zeros(1, 8, 1, 1))
        self.gain = nn.Parameter(torch.ones(8))
        self.grid = torch.linspace(-1, 1, 16)
        self.table = nn.ParameterList([nn.Parameter(torch.zeros(1, 8, 1, 1)) for _ in range(2)])

    def forward(self, x):
        x = F.conv2d(self.a(x), self.kernel, padding=1, groups=8)
        x = x * self.gain.view(1, -1, 1, 1) + self.stored + self.table[0] * self.table[1]
        y, z = torch.meshgrid(self.grid, self.grid, indexing="ij")
        return self.c(x + torch.stack((y, z)).mean(0) + F.conv2d(x, self.b.weight, self.b.bias, padding=1))


class Helper:
    """No module: what it holds is not registered."""

    scale = 0.5

    def __init__(self, *widths, **options):
        self.widths, self.options = widths, dict(options)

    @property
    def total(self):
        return sum(self.widths)

    @staticmethod
    def half(x):
        return x / 2

    def __call__(self, x):
        return self.half(x) * self.total * Helper.scale + self.options.get("offset", 3)


class Objects(Base):
    activation = partial(nn.LeakyReLU, negative_slope=0.3)

    def __init__(self):
        super().__init__()
        self.helper = Helper(1, 2, offset=-1)
        self.layers = nn.ModuleDict(OrderedDict([("one", nn.Conv2d(8, 8, 1)), ("two", nn.Conv2d(8, 8, 1))]))
        self.kind = self.__class__.__name__ + str(type(self.a) is nn.Conv2d) + str(isinstance(self.a, (nn.Linear, nn.Conv2d)))
        self.depth = int(math.log(8, 2))
        self.unused = nn.Conv2d(5, 5, 5)

    def forward(self, x):
        x = self.helper(self.a(x))
        for name, layer in self.layers.items():
            x = layer(x) * (self.depth if name == "one" else len(self.kind))
        try:
            x = self.missing(x) if hasattr(self, "missing") else x
        except AttributeError:
            pass
        return self.c(x)


class Tuples(Base):
    def features(self, x):
        return {"low": self.a(x), "all": (x, [self.b(self.a(x))])}

    def forward(self, x):
        found = self.features(x)
        x, (y,) = found["all"]
        return found["low"], self.c(y)


class Attention(Base):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.qkv = nn.Linear(8, 24, bias=False)
        self.project = nn.Linear(8, 8)
        self.group = nn.GroupNorm(2, 8)

    def forward(self, x):
        x = self.group(self.a(x))
        b, c, h, w = x.shape
        windows = x.view(b, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1).contiguous().view(-1, 16, c)
        qkv = self.qkv(self.norm(windows)).reshape(-1, 16, 3, 2, c // 2).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        weights = ((q * (c // 2) ** -0.5) @ k.transpose(-2, -1)).softmax(dim=-1)
        y = self.project((weights @ v).transpose(1, 2).reshape(-1, 16, c)) + windows
        y = y.view(b, h // 4, w // 4, 4, 4, c).permute(0, 5, 1, 3, 2, 4).reshape(b, c, h, w)
        return self.c(torch.roll(y, shifts=(-1, 2), dims=(2, 3)))


class Functions(Base):
    def forward(self, x):
        x = self.a(x)
        low = F.interpolate(x, size=(11, 7), mode="bilinear", align_corners=True)
        low = F.interpolate(low, size=x.shape[-2:], mode="bicubic")
        gate = torch.where(x.mean(dim=(2, 3), keepdim=True) > 0, x.std(1, keepdim=True), torch.exp(-x.abs()))
        most = x.max(dim=1, keepdim=True)[0] - torch.min(x, low) + x.amin((2, 3), True)
        mask = (x > 0.2) & ~(low > 0.5)
        filled = x.masked_fill(mask, -0.5) + F.softplus(low) + F.gelu(x)
        shuffled = F.pixel_unshuffle(F.pixel_shuffle(torch.cat([x] * 4, 1), 2)[:, :, 1:, :-1][:, :, :30, :30], 2)
        columns = F.fold(F.unfold(x, 3, padding=1), (16, 16), 3, padding=1)
        pooled = F.adaptive_avg_pool2d(x, (3, 5)).mean((2, 3))[..., None, None]
        theta = torch.eye(2)
        ys, xs = torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(-0.8, 1, 16), indexing="ij")
        moved = F.grid_sample(x, (torch.stack((xs, ys), -1) @ theta)[None], align_corners=True, padding_mode="border")
        y = low * gate + most + filled + columns / 9 + pooled + moved + F.normalize(x) + x // 1 - x % 0.7
        return self.c(y) + shuffled.mean()
