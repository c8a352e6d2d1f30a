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


class GatedConv(nn.Module):
    """A convolution of which one half of the channels gates the other; padded as PyTorch or as TensorFlow does it."""

    def __init__(self, inputs, outputs, kernel=3, stride=1, dilation=1, activation=F.elu, same=False, gated=True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, 2 * outputs if gated else outputs, kernel, stride, dilation=dilation)
        self.activation, self.gated = activation, gated
        reach = dilation * (kernel - 1) // 2
        self.padding = (0, 1, 0, 1) if same and stride == 2 else (reach,) * 4

    def forward(self, x):
        x = self.conv(F.pad(x, self.padding))
        if not self.gated:
            return x
        values, gates = x.chunk(2, dim=1)
        return self.activation(values) * gates.sigmoid()


class Doubled(nn.Module):
    def __init__(self, inputs, outputs, same):
        super().__init__()
        self.conv = GatedConv(inputs, outputs, same=same)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2))


def sampled(x, factor, aligned):
    """Every so many pixels, or TensorFlow's `align_corners`."""
    if not aligned:
        return x[..., ::factor, ::factor]
    rows, columns = ((torch.linspace(0, n - 1, n // factor) + 0.5).long() for n in x.shape[-2:])
    return x[..., rows, :][..., columns]


def diagonals(scores):
    padded = F.pad(scores, (1, 1, 1, 1))
    return padded[:-2, :-2] + scores + padded[2:, 2:]


def contextual_attention(x, mask, fuse, aligned):
    """DeepFill's, for a batch of one."""
    small = sampled(x, 2, aligned)
    (height, width), count = small.shape[-2:], small.shape[-2] * small.shape[-1]
    patches = F.unfold(small, 3, padding=1)[0]
    keys = patches / patches.norm(dim=0).clamp_min(1e-4)
    scores = keys.T @ patches  # [patch, place]
    if fuse:
        by_column = torch.arange(count).reshape(height, width).T.reshape(-1)
        scores = diagonals(scores)[by_column][:, by_column]
        scores = diagonals(scores)[by_column.argsort()][:, by_column.argsort()]
    free = (F.unfold(sampled(mask, 8, aligned), 3, padding=1)[0].sum(dim=0) == 0).float()[:, None]
    shares = (10 * scores * free).softmax(dim=0) * free
    pasted = F.unfold(x, 4, padding=1, stride=2)[0] @ shares
    return F.fold(pasted[None], x.shape[-2:], 4, padding=1, stride=2) / 4


class DeepFill(nn.Module):
    """What both forms of nipponjo's DeepFillv2 compute, of layers that are told by their places."""

    def stage(self, names, x):
        for name in names:
            x = self.get_submodule(name)(x)
        return x

    def forward(self, x, mask):
        coarse = torch.tanh(self.stage(self.COARSE, x))
        x = coarse * mask + x[:, :3] * (1 - mask)
        convolved = self.stage(self.CONVOLVED, x)
        attended = self.stage(self.ATTENDED[:-2], x)
        attended = contextual_attention(attended, mask, fuse=not self.same, aligned=self.same)
        attended = self.stage(self.ATTENDED[-2:], attended)
        return torch.tanh(self.stage(self.JOINED, torch.cat([convolved, attended], dim=1)))


def deepfill_layers(w, same):
    """The layers of the four parts."""
    conv = lambda *shape, **more: GatedConv(*shape, same=same, **more)
    dilated = lambda: [conv(2 * w, 2 * w, dilation=d) for d in [1, 2, 4, 8, 16]]
    up = lambda: [Doubled(2 * w, w, same), conv(w, w), Doubled(w, w // 2, same), conv(w // 2, w // 4),
                  conv(w // 4, 3, gated=False)]
    first = lambda inputs: conv(inputs, w // 2, 5)
    coarse = [first(5), conv(w // 2, w, stride=2), conv(w, w), conv(w, 2 * w, stride=2), conv(2 * w, 2 * w), *dilated(),
              conv(2 * w, 2 * w), conv(2 * w, 2 * w), *up()]
    convolved = [first(3), conv(w // 2, w // 2, stride=2), conv(w // 2, w), conv(w, w, stride=2), conv(w, 2 * w), *dilated()]
    attended = [first(3), conv(w // 2, w // 2, stride=2), conv(w // 2, w), conv(w, 2 * w, stride=2), conv(2 * w, 2 * w),
                conv(2 * w, 2 * w, activation=F.relu), conv(2 * w, 2 * w), conv(2 * w, 2 * w)]
    return coarse, convolved, attended, [conv(4 * w, 2 * w), conv(2 * w, 2 * w), *up()]


class DeepFillPyTorch(DeepFill):
    HALVED = ["{}conv1", "{}down_block1.conv1_downsample", "{}down_block1.conv2", "{}down_block2.conv1_downsample",
              "{}down_block2.conv2"]
    DOUBLED = ["up_block1.conv1_upsample", "up_block1.conv2", "up_block2.conv1_upsample", "up_block2.conv2", "conv_to_rgb"]
    COARSE = [f"stage1.{name.format('')}" for name in HALVED + [f"conv_bn{i}" for i in range(1, 8)] + DOUBLED]
    CONVOLVED = [f"stage2.{name.format('conv_')}" for name in HALVED + [f"conv_conv_bn{i}" for i in range(1, 6)]]
    ATTENDED = [f"stage2.{name.format('ca_')}" for name in HALVED + ["ca_conv_bn1", "ca_conv_bn4", "ca_conv_bn5"]]
    JOINED = [f"stage2.{name}" for name in ["conv_bn6", "conv_bn7"] + DOUBLED]

    def __init__(self, w):
        super().__init__()
        self.same = False
        coarse, convolved, attended, joined = deepfill_layers(w, False)
        for names, layers in [(self.COARSE, coarse), (self.CONVOLVED, convolved), (self.ATTENDED[:6], attended[:6])]:
            place(self, names, layers)
        self.stage2.contextual_attention = nn.Module()
        self.stage2.contextual_attention.register_buffer("fuse_weight", torch.eye(3).reshape(1, 1, 3, 3))
        place(self, self.ATTENDED[6:] + self.JOINED, attended[6:] + joined)


class DeepFillTensorFlow(DeepFill):
    COARSE = ["conv1", "conv2_downsample", "conv3", "conv4_downsample", "conv5", "conv6", "conv7_atrous", "conv8_atrous",
              "conv9_atrous", "conv10_atrous", "conv11", "conv12", "conv13_upsample", "conv14", "conv15_upsample", "conv16",
              "conv17"]
    CONVOLVED = [f"x{name}" for name in COARSE[:10]]
    ATTENDED = [f"pm{name}" for name in COARSE[:6]] + ["pmconv9", "pmconv10"]
    JOINED = [f"all{name}" for name in COARSE[10:]]

    def __init__(self, w):
        super().__init__()
        self.same = True
        place(self, self.COARSE + self.CONVOLVED + self.ATTENDED + self.JOINED, sum(deepfill_layers(w, True), []))


def place(net, names, layers):
    """Puts layers where their names say."""
    for name, layer in zip(names, layers, strict=True):
        *path, last = name.split(".")
        at = net
        for part in path:
            if not hasattr(at, part):
                at.add_module(part, nn.Module())
            at = getattr(at, part)
        at.add_module(last, layer)


class SteppedSpectralConv(nn.Module):
    """A convolution under a spectral norm that takes one step of power iteration before each use."""

    def __init__(self, inputs, outputs, kernel):
        super().__init__()
        self.module = nn.Module()
        self.module.bias = nn.Parameter(torch.empty(outputs).uniform_(-0.3, 0.3))
        for name, size in [("weight_u", outputs), ("weight_v", inputs * kernel * kernel)]:
            self.module.register_parameter(name, nn.Parameter(F.normalize(torch.randn(size), dim=0), requires_grad=False))
        self.module.weight_bar = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))

    def forward(self, x):
        weight = self.module.weight_bar
        matrix = weight.flatten(1)
        v = F.normalize(matrix.T @ self.module.weight_u, dim=0)
        u = F.normalize(matrix @ v, dim=0)
        return F.conv2d(x, weight / (u @ (matrix @ v)), self.module.bias)


class GateByConv(nn.Module):
    """Two convolutions, of which one gates the other; a norm; a function."""

    def __init__(self, inputs, outputs, kernel, stride=1, padding=0, dilation=1, activation=nn.LeakyReLU(0.2), norm=True,
                 spectral=False):
        super().__init__()
        self.pad = nn.ZeroPad2d(padding)
        self.norm = nn.InstanceNorm2d(outputs) if norm else nn.Identity()
        self.activation = activation
        make = SteppedSpectralConv if spectral else lambda i, o, k: nn.Conv2d(i, o, k, stride, dilation=dilation)
        self.conv2d, self.mask_conv2d = make(inputs, outputs, kernel), make(inputs, outputs, kernel)

    def forward(self, x):
        x = self.pad(x)
        return self.activation(self.norm(self.conv2d(x) * self.mask_conv2d(x).sigmoid()))


class DoubledGate(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.gated_conv2d = GateByConv(inputs, outputs, 3, padding=1, spectral=True)

    def forward(self, x):
        return self.gated_conv2d(F.interpolate(x, scale_factor=2))


def plain_deepfill_stage(w):
    return nn.Sequential(
        GateByConv(4, w, 7, padding=3, norm=False), GateByConv(w, 2 * w, 4, 2, 1), GateByConv(2 * w, 4 * w, 3, padding=1),
        GateByConv(4 * w, 4 * w, 4, 2, 1),
        *[GateByConv(4 * w, 4 * w, 3, padding=d, dilation=d) for d in [1, 1, 2, 4, 8, 16, 1, 1]],
        DoubledGate(4 * w, 2 * w), GateByConv(2 * w, 2 * w, 3, padding=1), DoubledGate(2 * w, w),
        GateByConv(w, 3, 7, padding=3, norm=False, activation=nn.Tanh()))


class PlainDeepFill(nn.Module):
    """zhaoyuzhi's DeepFillv2."""

    def __init__(self, w):
        super().__init__()
        self.coarse, self.refinement = plain_deepfill_stage(w), plain_deepfill_stage(w)

    def forward(self, img, mask):
        kept = img * (1 - mask)
        coarse = self.coarse(torch.cat([kept + mask, mask], dim=1))
        return self.refinement(torch.cat([kept + coarse * mask, mask], dim=1))


class PartialConv(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, bias=False):
        super().__init__()
        self.input_conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=bias)
        self.mask_conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.mask_conv.requires_grad_(False).weight.fill_(1)

    def forward(self, x, mask):
        sums = F.conv2d(mask, torch.ones_like(self.mask_conv.weight), None, self.mask_conv.stride, self.mask_conv.padding)
        known = (sums != 0).to(x.dtype)
        y = F.conv2d(x * mask, self.input_conv.weight, None, self.input_conv.stride, self.input_conv.padding)
        y = y / sums.clamp_min(1)
        if self.input_conv.bias is not None:
            y = y + self.input_conv.bias[:, None, None]
        return y * known, known


class PartialLayer(nn.Module):
    def __init__(self, inputs, outputs, kernel=3, stride=1, norm=True, activation=F.relu, bias=False):
        super().__init__()
        self.conv = PartialConv(inputs, outputs, kernel, stride, bias)
        if norm:
            self.bn = nn.BatchNorm2d(outputs)
        self.last = activation

    def forward(self, x, mask):
        y, mask = self.conv(x, mask)
        return self.last(self.bn(y) if hasattr(self, "bn") else y), mask


class PartialUNet(nn.Module):
    """naoto0804's PConvUNet: `depth` halvings."""

    def __init__(self, w, depth=7):
        super().__init__()
        self.depth, channels = depth, [3] + [w * 2 ** min(level, 3) for level in range(depth)]
        for level in range(1, depth + 1):
            kernel = {1: 7, 2: 5, 3: 5}.get(level, 3)
            layer = PartialLayer(channels[level - 1], channels[level], kernel, 2, norm=level > 1)
            self.add_module(f"enc_{level}", layer)
        slope = lambda x: F.leaky_relu(x, 0.2)
        for level in [*range(5, depth + 1), 4, 3, 2]:
            self.add_module(f"dec_{level}", PartialLayer(channels[level] + channels[level - 1], channels[level - 1], activation=slope))
        self.dec_1 = PartialLayer(w + 3, 3, norm=False, activation=lambda x: x, bias=True)

    def forward(self, x, mask):
        levels = [(x, mask)]
        for level in range(1, self.depth + 1):
            levels.append(self.get_submodule(f"enc_{level}")(*levels[-1]))
        y, known = levels.pop()
        for level in range(self.depth, 0, -1):
            both = [torch.cat([F.interpolate(up, scale_factor=2), skip], dim=1) for up, skip in zip((y, known), levels.pop())]
            y, known = self.get_submodule(f"dec_{level}")(*both)
        return y
