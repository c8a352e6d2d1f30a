# The ways in which people write networks: each class in a style of its own, and none executed by infill.
import math
from collections import OrderedDict
from functools import partial
from typing import List

import torch
import torch.nn as nn
import torch.nn.functional as F

WIDTH = 4


def conv_block(cin, cout, stride=1, norm=True):
    layers = [nn.Conv2d(cin, cout, 3, stride, 1, bias=not norm)]
    if norm:
        layers += [nn.BatchNorm2d(cout)]
    layers += [nn.ReLU(True)]
    return nn.Sequential(*layers)


def activation(name):
    if name == "relu":
        return nn.ReLU()
    elif name == "leaky":
        return nn.LeakyReLU(0.2)
    raise ValueError(name)


class Model(nn.Module):
    """All layers under one attribute, which is also a prefix that files carry."""

    def __init__(self):
        super().__init__()
        layers = []
        width = 3
        for i in range(3):
            layers.append(nn.Conv2d(width, WIDTH, kernel_size=3, padding=1))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            width = WIDTH
        layers.extend([nn.Conv2d(WIDTH, 3, 1), nn.Sigmoid()])
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class Helpers(nn.Module):
    def __init__(self):
        super(Helpers, self).__init__()
        self.down = conv_block(3, WIDTH, stride=2)
        self.mid = conv_block(WIDTH, WIDTH, norm=False)
        self.up = nn.ConvTranspose2d(WIDTH, 3, 4, 2, 1)

    def forward(self, input):
        d = self.down(input)
        return self.up(self.mid(d) - d)


class Nested(nn.Module):
    def __init__(self, w=3):
        super().__init__()

        def down(cin, cout, normalize=True):
            layers: List[nn.Module] = [nn.Conv2d(cin, cout, 4, stride=2, padding=1)]
            if normalize:
                layers.append(nn.BatchNorm2d(cout, 0.8))
            layers.append(nn.LeakyReLU(0.2))
            return layers

        up = lambda cin, cout: [nn.ConvTranspose2d(cin, cout, 4, stride=2, padding=1), nn.BatchNorm2d(cout, 0.8), nn.ReLU()]
        self.body = nn.Sequential(*down(3, w, normalize=False), *down(w, 2 * w), *up(2 * w, w), *up(w, w), nn.Conv2d(w, 3, 3, 1, 1), nn.Tanh())

    def forward(self, x):
        return self.body(x)


class Ordered(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = self._block(3, WIDTH, name="enc")
        self.dec = Ordered._block(WIDTH, 3, "dec")

    def forward(self, x):
        return self.dec(self.enc(x))

    @staticmethod
    def _block(in_channels, features, name):
        return nn.Sequential(OrderedDict([
            (name + "conv1", nn.Conv2d(in_channels=in_channels, out_channels=features, kernel_size=3, padding=1, bias=False)),
            (name + "norm1", nn.BatchNorm2d(num_features=features)),
            (f"{name}relu{1}", nn.ReLU(inplace=True)),
        ]))


class Named(nn.Module):
    def __init__(self, count=2):
        super().__init__()
        for i in range(count):
            self.add_module(f"conv{i}", nn.Conv2d(3, 3, 3, padding=1))
            setattr(self, "norm%d" % i, nn.InstanceNorm2d(3, affine=True))
        seq = nn.Sequential()
        self.tail = seq
        seq.add_module("last", nn.Conv2d(3, 3, 1))
        self.count = count

    def forward(self, x):
        for i in range(self.count):
            x = F.relu(getattr(self, f"norm{i}")(getattr(self, "conv{}".format(i))(x)))
        return self.tail(x)


class Base(nn.Module):
    def __init__(self, act="relu", width=5):
        super().__init__()
        self.act = activation(act)
        self.head = nn.Conv2d(3, width, 3, 1, 1)

    def features(self, x):
        return self.act(self.head(x))

    def forward(self, x):
        raise NotImplementedError


class Inherited(Base):
    def __init__(self, **kwargs):
        super().__init__(act="leaky", **kwargs)
        self.rear = nn.Conv2d(5, 3, 3, 1, 1)

    def forward(self, x):
        return self.rear(super().features(x))


class ConvBNReLU(nn.Sequential):
    def __init__(self, cin, cout, k=3):
        super().__init__(
            nn.Conv2d(cin, cout, k, padding=(k - 1) // 2, bias=False),
            nn.BatchNorm2d(cout),
            nn.ReLU(inplace=True),
        )


class Blocks(nn.Module):
    def __init__(self, norm_layer=partial(nn.InstanceNorm2d, affine=True), depth=2):
        super().__init__()
        self.first = ConvBNReLU(3, 3)
        self.convs = nn.ModuleList()
        self.norms = nn.ModuleList([norm_layer(3) for _ in range(depth)])
        for i in range(depth):
            self.convs.append(nn.Conv2d(3, 3, 3, padding=2 ** i, dilation=2 ** i))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.shape
        assert c == 3
        x = self.first(x)
        skips = []
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            x = F.leaky_relu(norm(conv(x)), negative_slope=0.2)
            skips.append(x)
        return torch.cat(skips[::-1], dim=1)


class Pyramid(nn.Module):
    def __init__(self, channels=(4, 6), bilinear: bool = False, *, out=3):
        super().__init__()
        widths = [3] + list(channels)
        steps = int(math.log2(2 ** len(channels)))
        assert steps == 2, "two"
        self.lower = nn.ModuleList([nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in zip(widths[:-1], widths[1:])])
        turned = widths[::-1]
        self.upper = nn.ModuleDict({f"up{i}": nn.ConvTranspose2d(turned[i], turned[i + 1], 3, stride=2, padding=1, output_padding=1) for i in range(steps)})
        self.smooth = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False) if bilinear else nn.Identity()
        self.final = nn.Conv2d(3, out, (3, 5), padding=(1, 2), padding_mode="reflect")

    def forward(self, x):
        for e in self.lower:
            x = torch.relu(e(x))
        for i, key in enumerate(self.upper):
            x = self.upper[key](x)
            if 0 <= i < len(self.upper) - 1:
                x = x.relu()
        return self.final(self.smooth(x)).sigmoid()


class Shared(nn.Module):
    """One layer called twice: its weights are in the file once."""

    def __init__(self):
        super().__init__()
        self.twice = nn.Conv2d(3, 3, 3, padding=1)
        self.register_buffer("unused", torch.zeros(1), persistent=False)
        self.init_weights()

    def init_weights(self):
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.xavier_normal_(m.weight)

    def forward(self, x):
        with torch.autocast("cpu", enabled=False):
            residual = x
            x = self.twice(F.relu(self.twice(x)))
            x += residual
        return x * 0.5 + 0.5


class Sizes(nn.Module):
    """What asks for sizes: padding to the skip's, output_size, interpolation to another tensor's size."""

    def __init__(self):
        super().__init__()
        self.lessen = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.enlarge = nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1)
        self.join = nn.Conv2d(10, 3, 1)

    def forward(self, x):
        low = F.relu(self.lessen(x))
        up = self.enlarge(low, output_size=x.size())
        smooth = F.interpolate(low, size=x.shape[2:], mode="bilinear", align_corners=False)
        rows = x.size(2) - up.size()[2]
        columns = x.shape[3] - up.shape[3]
        up = F.pad(up, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        if up.shape != x.shape:
            raise ValueError(f"{up.shape} is not {tuple(x.shape)}")
        return self.join(torch.cat((x, up, smooth), 1))


if __name__ == "__main__":
    print(Shared()(torch.rand(1, 3, 8, 8)).shape)
