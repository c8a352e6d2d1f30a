"""Published networks that people have checkpoints of. The keys of their state dicts are those of the published files, in
the same order; `official.py` compares the definitions with the official code, `make_published.py` makes fixtures of them.
"""

import torch
import torch.nn.functional as F
from torch import nn

# How a norm is made, and whether the convolutions beside it have biases. `tracked` is what instance norm was in the
# files of 2017 and 2018: its running statistics are stored, and the published code throws them away.
NORMS = {
    "batch": (nn.BatchNorm2d, False),
    "instance": (nn.InstanceNorm2d, True),
    "tracked": (lambda c: nn.InstanceNorm2d(c, track_running_stats=True), True),
    "none": (lambda c: nn.Identity(), False),
}


class UNetLevel(nn.Module):
    """One level of pix2pix's U-Net; `below` is the next deeper one, which lies inside it."""

    def __init__(self, outer, width, below, norm, inputs=None, dropout=False):
        super().__init__()
        self.outermost = inputs is not None
        make, bias = NORMS[norm]
        down = nn.Conv2d(inputs if self.outermost else outer, width, 4, 2, 1, bias=bias)
        up = nn.ConvTranspose2d(2 * width if below else width, outer, 4, 2, 1, bias=bias or self.outermost)
        if self.outermost:
            layers = [down, below, nn.ReLU(), up, nn.Tanh()]
        elif below is None:
            layers = [nn.LeakyReLU(0.2), down, nn.ReLU(), up, make(outer)]
        else:
            layers = [nn.LeakyReLU(0.2), down, make(width), below, nn.ReLU(), up, make(outer)]
        self.model = nn.Sequential(*layers, *[nn.Dropout(0.5)] * dropout)

    def forward(self, x):
        y = self.model(x)
        return y if self.outermost else torch.cat([x, y], dim=1)


class UNet(nn.Module):
    """pix2pix's generator: `depth` (5 at least) halvings, `w` channels at the first of them."""

    def __init__(self, w, depth, norm, inputs=3, outputs=3, dropout=False):
        super().__init__()
        level = UNetLevel(8 * w, 8 * w, None, norm)
        for _ in range(depth - 5):
            level = UNetLevel(8 * w, 8 * w, level, norm, dropout=dropout)
        for outer in [4 * w, 2 * w, w]:
            level = UNetLevel(outer, 2 * outer, level, norm)
        self.model = UNetLevel(outputs, w, level, norm, inputs)

    def forward(self, x):
        return self.model(x)


class ResnetBlock(nn.Module):
    def __init__(self, c, norm, dropout):
        super().__init__()
        make, bias = NORMS[norm]
        conv = lambda: [nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3, bias=bias), make(c)]
        self.conv_block = nn.Sequential(*conv(), nn.ReLU(), *[nn.Dropout(0.5)] * dropout, *conv())

    def forward(self, x):
        return x + self.conv_block(x)


class Resnet(nn.Module):
    """CycleGAN's generator with any number of residual blocks."""

    def __init__(self, w, blocks, norm, inputs=3, outputs=3, dropout=False):
        super().__init__()
        make, bias = NORMS[norm]
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(inputs, w, 7, bias=bias), make(w), nn.ReLU()]
        for c in [w, 2 * w]:
            layers += [nn.Conv2d(c, 2 * c, 3, 2, 1, bias=bias), make(2 * c), nn.ReLU()]
        layers += [ResnetBlock(4 * w, norm, dropout) for _ in range(blocks)]
        for c in [2 * w, w]:
            layers += [nn.ConvTranspose2d(2 * c, c, 3, 2, 1, output_padding=1, bias=bias), make(c), nn.ReLU()]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(w, outputs, 7), nn.Tanh())

    def forward(self, x):
        return self.model(x)


class PyTorchGanContextEncoder(nn.Module):
    """PyTorch-GAN's context encoder: from a picture with a square hole to the square's content, half as large."""

    EPS = 0.8  # of every batch norm: the published code's second argument to BatchNorm2d

    def __init__(self, w, bottleneck, channels=3):
        super().__init__()
        layers = [nn.Conv2d(channels, w, 4, 2, 1), nn.LeakyReLU(0.2)]
        for a, b in [(w, w), (w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w)]:
            layers += [nn.Conv2d(a, b, 4, 2, 1), nn.BatchNorm2d(b, self.EPS), nn.LeakyReLU(0.2)]
        layers.append(nn.Conv2d(8 * w, bottleneck, 1))
        for a, b in [(bottleneck, 8 * w), (8 * w, 4 * w), (4 * w, 2 * w), (2 * w, w)]:
            layers += [nn.ConvTranspose2d(a, b, 4, 2, 1), nn.BatchNorm2d(b, self.EPS), nn.ReLU()]
        self.model = nn.Sequential(*layers, nn.Conv2d(w, channels, 3, 1, 1), nn.Tanh())

    def forward(self, x):
        return self.model(x)


def activation(x):
    """MI-GAN's only activation."""
    return (F.leaky_relu(x, 0.2) * 2**0.5).clamp(-256, 256)


def binomial(channels, gain):
    """The weights [channels, 1, 4, 4] of a depthwise binomial filter whose sum is `gain`."""
    row = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return nn.Parameter((torch.outer(row, row) * gain / 64).repeat(channels, 1, 1, 1))


class Downsample(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.filter = nn.Conv2d(c, c, 4, 2, 1, groups=c, bias=False)
        self.filter.weight = binomial(c, 1)

    def forward(self, x):
        return self.filter(x)


class Upsample(nn.Module):
    """Zeros between the pixels, then the filter; `filter_const` leaves one of four copies of a pixel."""

    def __init__(self, c, side):
        super().__init__()
        self.register_buffer("filter_const", torch.tensor([[1.0, 0.0], [0.0, 0.0]]).repeat(1, 1, side // 2, side // 2))
        self.filter = nn.Conv2d(c, c, 4, groups=c, bias=False)
        self.filter.weight = binomial(c, 4)

    def forward(self, x):
        x = F.interpolate(x, scale_factor=2, mode="nearest") * self.filter_const
        return self.filter(F.pad(x, (2, 1, 2, 1)))


class Separable(nn.Module):
    """A depthwise 3x3 and a 1x1 convolution; `side`, of the output, where it adds its stored noise."""

    def __init__(self, a, b, down=False, up=False, side=None):
        super().__init__()
        self.conv1 = nn.Conv2d(a, a, 3, padding=1, groups=a)
        self.conv2 = nn.Conv2d(a, b, 1, bias=False)
        self.downsample = Downsample(a) if down else nn.Identity()
        self.upsample = Upsample(b, side) if up else nn.Identity()
        self.noisy = side is not None
        if self.noisy:
            self.register_buffer("noise_const", torch.randn(side, side))
            self.noise_strength = nn.Parameter(torch.zeros([]))

    def forward(self, x):
        x = self.upsample(self.conv2(self.downsample(activation(self.conv1(x)))))
        if self.noisy:
            x = x + self.noise_const * self.noise_strength
        return activation(x)


class EncoderBlock(nn.Module):
    def __init__(self, a, b, down, inputs=None):
        super().__init__()
        if inputs is not None:
            self.fromrgb = nn.Conv2d(inputs, a, 1)
        self.conv1 = Separable(a, a)
        self.conv2 = Separable(a, b, down=down)

    def forward(self, x):
        if hasattr(self, "fromrgb"):
            x = activation(self.fromrgb(x))
        skip = self.conv1(x)
        return self.conv2(skip), skip


class SynthesisBlock(nn.Module):
    """`side` is the output's, and None in the first block, which has no noise and enlarges nothing."""

    def __init__(self, a, b, outputs, side=None):
        super().__init__()
        self.conv1 = Separable(a, b, up=side is not None, side=side)
        self.conv2 = Separable(b, b, side=side)
        self.torgb = nn.Conv2d(b, outputs, 1)
        self.upsample = nn.Identity() if side is None else Upsample(outputs, side)

    def forward(self, x, skip, image):
        x = self.conv2(self.conv1(x) + skip)
        rgb = self.torgb(x)
        return x, rgb if image is None else self.upsample(image) + rgb


class Encoder(nn.Module):
    def __init__(self, sides, width, inputs):
        super().__init__()
        for side in sides:
            self.add_module(f"b{side}", EncoderBlock(
                width(side), width(max(side // 2, 4)), down=side > 4, inputs=inputs if side == sides[0] else None))

    def forward(self, x):
        skips = {}
        for name, block in self.named_children():
            x, skips[name] = block(x)
        return x, skips


class Synthesis(nn.Module):
    def __init__(self, sides, width, outputs):
        super().__init__()
        for side in sides:
            self.add_module(f"b{side}", SynthesisBlock(
                width(max(side // 2, 4)), width(side), outputs, side if side > 4 else None))

    def forward(self, x, skips):
        image = None
        for name, block in self.named_children():
            x, image = block(x, skips[name], image)
        return image


class MiGan(nn.Module):
    """MI-GAN's generator as it is published, for pictures of `side` (a power of two) and min(base / r, most) channels
    at side r; the published ones have base 32768 and most 512."""

    def __init__(self, side, base, most):
        super().__init__()
        width = lambda r: min(base // r, most)
        sides = [2**i for i in range(2, side.bit_length())]
        self.synthesis = Synthesis(sides, width, 3)
        self.encoder = Encoder(sides[::-1], width, 4)

    def forward(self, x):
        return self.synthesis(*self.encoder(x))


class FourierUnit(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv_layer = nn.Conv2d(2 * c, 2 * c, 1, bias=False)
        self.bn = nn.BatchNorm2d(2 * c)

    def forward(self, x):
        n, c, h, w = x.shape
        spectrum = torch.fft.rfftn(x, dim=(-2, -1), norm="ortho")
        parts = torch.stack((spectrum.real, spectrum.imag), dim=2).reshape(n, 2 * c, h, w // 2 + 1)
        parts = F.relu(self.bn(self.conv_layer(parts))).reshape(n, c, 2, h, w // 2 + 1)
        return torch.fft.irfftn(torch.complex(parts[:, :, 0], parts[:, :, 1]), s=(h, w), dim=(-2, -1), norm="ortho")


class SpectralTransform(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(c, c // 2, 1, bias=False), nn.BatchNorm2d(c // 2), nn.ReLU())
        self.fu = FourierUnit(c // 2)
        self.conv2 = nn.Conv2d(c // 2, c, 1, bias=False)

    def forward(self, x):
        x = self.conv1(x)
        return self.conv2(x + self.fu(x))


class FourierConv(nn.Module):
    """LaMa's FFC: local and global channels in, local and global channels out; 0 of either is none."""

    def __init__(self, inputs, outputs, kernel=3, stride=1, padding=1):
        super().__init__()
        conv = lambda a, b: nn.Conv2d(a, b, kernel, stride, padding, bias=False, padding_mode="reflect")
        self.convl2l = conv(inputs[0], outputs[0])
        if outputs[1]:
            self.convl2g = conv(inputs[0], outputs[1])
        if inputs[1]:
            self.convg2l = conv(inputs[1], outputs[0])
            self.convg2g = SpectralTransform(outputs[1])

    def forward(self, x):
        local, other = x
        if other is None:
            return self.convl2l(local), self.convl2g(local) if hasattr(self, "convl2g") else None
        return self.convl2l(local) + self.convg2l(other), self.convl2g(local) + self.convg2g(other)


class FourierLayer(nn.Module):
    def __init__(self, inputs, outputs, **conv):
        super().__init__()
        self.ffc = FourierConv(inputs, outputs, **conv)
        self.bn_l = nn.BatchNorm2d(outputs[0])
        if outputs[1]:
            self.bn_g = nn.BatchNorm2d(outputs[1])

    def forward(self, x):
        local, other = self.ffc(x)
        return F.relu(self.bn_l(local)), None if other is None else F.relu(self.bn_g(other))


class FourierBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = FourierLayer(channels, channels)
        self.conv2 = FourierLayer(channels, channels)

    def forward(self, x):
        return tuple(a + b for a, b in zip(x, self.conv2(self.conv1(x))))


class Lama(nn.Module):
    """LaMa's generator with `w` channels after its first layer, and this share of the blocks' channels global."""

    def __init__(self, w, blocks, share=0.75):
        super().__init__()
        self.blocks = blocks
        bottleneck = (8 * w - int(8 * w * share), int(8 * w * share))
        layers = [nn.ReflectionPad2d(3), FourierLayer((4, 0), (w, 0), kernel=7, padding=0)]
        layers += [FourierLayer((c, 0), (2 * c, 0), stride=2) for c in [w, 2 * w]]
        layers += [FourierLayer((4 * w, 0), bottleneck, stride=2)]
        layers += [FourierBlock(bottleneck) for _ in range(blocks)] + [nn.Identity()]
        for c in [4 * w, 2 * w, w]:
            layers += [nn.ConvTranspose2d(2 * c, c, 3, 2, 1, output_padding=1), nn.BatchNorm2d(c), nn.ReLU()]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(w, 3, 7), nn.Sigmoid())

    def forward(self, x):
        features = (self.model[0](x), None)
        for layer in self.model[1:self.blocks + 5]:
            features = layer(features)
        return self.model[self.blocks + 6:](torch.cat(features, dim=1))


class AotBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        conv = lambda a, b, rate: [nn.ReflectionPad2d(rate), nn.Conv2d(a, b, 3, dilation=rate)]
        for index, rate in enumerate([1, 2, 4, 8]):
            setattr(self, f"block{index:02}", nn.Sequential(*conv(c, c // 4, rate), nn.ReLU()))
        self.fuse = nn.Sequential(*conv(c, c, 1))
        self.gate = nn.Sequential(*conv(c, c, 1))

    def forward(self, x):
        found = self.fuse(torch.cat([self.block00(x), self.block01(x), self.block02(x), self.block03(x)], dim=1))
        gate = self.gate(x)
        gate = (gate - gate.mean((2, 3), keepdim=True)) / (gate.std((2, 3), keepdim=True) + 1e-9)
        gate = torch.sigmoid(5 * (2 * gate - 1))
        return x * (1 - gate) + found * gate


class AotUp(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.conv = nn.Conv2d(a, b, 3, 1, 1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True))


class AotGan(nn.Module):
    def __init__(self, w, blocks):
        super().__init__()
        self.encoder = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(4, w, 7), nn.ReLU(),
                                     nn.Conv2d(w, 2 * w, 4, 2, 1), nn.ReLU(), nn.Conv2d(2 * w, 4 * w, 4, 2, 1), nn.ReLU())
        self.middle = nn.Sequential(*[AotBlock(4 * w) for _ in range(blocks)])
        self.decoder = nn.Sequential(AotUp(4 * w, 2 * w), nn.ReLU(), AotUp(2 * w, w), nn.ReLU(), nn.Conv2d(w, 3, 3, 1, 1))

    def forward(self, x):
        return torch.tanh(self.decoder(self.middle(self.encoder(x))))
