"""Small generators of the kinds that people train, as PyTorch classes; `make.py` and `compare.py` export them."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def conv(a, b, k=3, s=1, p=1, **more):
    return nn.Conv2d(a, b, k, s, p, **more)


class UNetBlock(nn.Module):
    def __init__(self, outer, inner, inside=None, first=False, last=False, norm=nn.BatchNorm2d, cin=None):
        super().__init__()
        self.first = first
        bias = norm is nn.InstanceNorm2d
        down = nn.Conv2d(cin or outer, inner, 4, 2, 1, bias=bias)
        width = inner if last else inner * 2
        up = nn.ConvTranspose2d(width, outer, 4, 2, 1, bias=bias or first)
        if first:
            parts = [down, inside, nn.ReLU(True), up, nn.Tanh()]
        elif last:
            parts = [nn.LeakyReLU(0.2, True), down, nn.ReLU(True), up, norm(outer)]
        else:
            parts = [nn.LeakyReLU(0.2, True), down, norm(inner), inside, nn.ReLU(True), up, norm(outer), nn.Dropout(0.5)]
        self.model = nn.Sequential(*parts)

    def forward(self, x):
        return self.model(x) if self.first else torch.cat([x, self.model(x)], 1)


class Pix2Pix(nn.Module):
    def __init__(self, norm=nn.BatchNorm2d, depth=5, ngf=8):
        super().__init__()
        block = UNetBlock(ngf * 4, ngf * 4, last=True, norm=norm)
        for _ in range(depth - 4):
            block = UNetBlock(ngf * 4, ngf * 4, block, norm=norm)
        block = UNetBlock(ngf * 2, ngf * 4, block, norm=norm)
        block = UNetBlock(ngf, ngf * 2, block, norm=norm)
        self.model = UNetBlock(3, ngf, block, first=True, norm=norm)

    def forward(self, x):
        return self.model(x)


class ResBlock(nn.Module):
    def __init__(self, width, norm, bias):
        super().__init__()
        part = lambda: [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), norm(width)]
        self.conv_block = nn.Sequential(*part(), nn.ReLU(True), *part())

    def forward(self, x):
        return x + self.conv_block(x)


class CycleGAN(nn.Module):
    def __init__(self, norm=nn.InstanceNorm2d, ngf=8, blocks=2):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        parts = [nn.ReflectionPad2d(3), nn.Conv2d(3, ngf, 7, bias=bias), norm(ngf), nn.ReLU(True)]
        for i in range(2):
            parts += [conv(ngf << i, ngf << i + 1, 3, 2, bias=bias), norm(ngf << i + 1), nn.ReLU(True)]
        parts += [ResBlock(ngf * 4, norm, bias) for _ in range(blocks)]
        for i in (2, 1):
            parts += [nn.ConvTranspose2d(ngf << i, ngf << i - 1, 3, 2, 1, 1, bias=bias), norm(ngf << i - 1), nn.ReLU(True)]
        parts += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, 7), nn.Tanh()]
        self.model = nn.Sequential(*parts)

    def forward(self, x):
        return self.model(x)


class ContextEncoder(nn.Module):
    """RGB and mask in one tensor, ELU, dilated middle."""

    def __init__(self, w=8):
        super().__init__()
        self.down = nn.Sequential(conv(4, w, 5, 1, 2), nn.ELU(), conv(w, 2 * w, 3, 2), nn.ELU(), conv(2 * w, 4 * w, 3, 2), nn.ELU())
        self.middle = nn.Sequential(*[nn.Sequential(conv(4 * w, 4 * w, 3, 1, d, dilation=d), nn.ELU()) for d in (1, 2, 4)])
        self.up = nn.Sequential(nn.Upsample(scale_factor=2), conv(4 * w, 2 * w), nn.ELU(), nn.Upsample(scale_factor=2), conv(2 * w, w), nn.ELU())
        self.out = conv(w, 3)

    def forward(self, x):
        return torch.clamp(self.out(self.up(self.middle(self.down(x)))), -1, 1)


class Gate(nn.Module):
    def __init__(self, a, b, k=3, s=1, d=1):
        super().__init__()
        self.feature = nn.Conv2d(a, b, k, s, d * (k // 2), d)
        self.gate = nn.Conv2d(a, b, k, s, d * (k // 2), d)
        self.norm = nn.InstanceNorm2d(b, affine=True)

    def forward(self, x):
        return self.norm(F.leaky_relu(self.feature(x), 0.2)) * torch.sigmoid(self.gate(x))


class Gated(nn.Module):
    """Two inputs; what is known is put back inside the graph."""

    def __init__(self, w=8):
        super().__init__()
        self.layers = nn.Sequential(Gate(4, w, 5), Gate(w, 2 * w, 3, 2), Gate(2 * w, 2 * w, 3, 1, 2), nn.Upsample(scale_factor=2, mode="nearest"), Gate(2 * w, w))
        self.out = conv(w, 3)

    def forward(self, image, mask):
        y = torch.tanh(self.out(self.layers(torch.cat([image * (1 - mask), mask], 1))))
        return image * (1 - mask) + y * mask


class Blur(nn.Module):
    """A depthwise filter behind zeros between the pixels, as MI-GAN enlarges."""

    def __init__(self, w):
        super().__init__()
        row = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.register_buffer("filter", (row[:, None] * row[None] / 16).repeat(w, 1, 1, 1))
        self.w = w

    def forward(self, x):
        n, c, h, w = x.shape
        x = x.reshape(n, c, h, 1, w, 1)
        x = F.pad(x, [0, 1, 0, 0, 0, 1]).reshape(n, c, h * 2, w * 2)
        return F.conv2d(F.pad(x, [2, 1, 2, 1]), self.filter, groups=self.w)


class MiGan(nn.Module):
    def __init__(self, w=8):
        super().__init__()
        self.rgb = nn.Conv2d(4, w, 1)
        self.deep = conv(w, w, 3, 1, 1, groups=w)
        self.wide = nn.Conv2d(w, 2 * w, 1)
        self.down = conv(2 * w, 2 * w, 4, 2, 1, groups=2 * w)
        self.up = Blur(2 * w)
        self.noise = nn.Parameter(torch.randn(64, 64))
        self.strength = nn.Parameter(torch.tensor(0.3))
        self.out = nn.Conv2d(2 * w, 3, 1)

    def act(self, x):
        return torch.clamp(F.leaky_relu(x, 0.2) * math.sqrt(2), -256, 256)

    def forward(self, x):
        x = self.act(self.rgb(x))
        x = self.act(self.wide(self.act(self.deep(x))))
        y = self.up(self.act(self.down(x)))
        return self.out(self.act(y + self.noise * self.strength) + x)


class Fourier(nn.Module):
    """LaMa's Fourier unit, its transforms written as products with constants, for exporters that know no FFT."""

    def __init__(self, w, side, symbolic):
        super().__init__()
        self.side, self.symbolic = side, symbolic
        self.conv = nn.Conv2d(2 * w, 2 * w, 1, bias=False)
        self.bn = nn.BatchNorm2d(2 * w)
        half = side // 2 + 1
        turn = lambda n, m: torch.arange(n)[:, None] * torch.arange(m)[None] * (2 * math.pi / n)
        scale = 1 / math.sqrt(side)
        for name, angle in [("row", turn(side, half)), ("column", turn(side, side))]:
            self.register_buffer(f"{name}_cos", torch.cos(angle) * scale)
            self.register_buffer(f"{name}_sin", torch.sin(angle) * scale)
        weight = torch.full((half,), 2.0)
        weight[0] = 1
        if side % 2 == 0:
            weight[-1] = 1
        self.register_buffer("weight_row", weight)

    def transform(self, x):
        re, im = x @ self.row_cos, -(x @ self.row_sin)
        c, s = self.column_cos, self.column_sin
        return c @ re + s @ im, c @ im - s @ re

    def inverse(self, re, im):
        c, s = self.column_cos, self.column_sin
        re, im = (c @ re - s @ im) * self.weight_row, (c @ im + s @ re) * self.weight_row
        return re @ self.row_cos.T - im @ self.row_sin.T

    def forward(self, x):
        n, c, h, w = x.shape
        if self.symbolic:
            f = torch.fft.rfftn(x, dim=(-2, -1), norm="ortho")
            re, im = f.real, f.imag
        else:
            re, im = self.transform(x)
        y = torch.stack([re, im], 2).reshape(n, c * 2, h, w // 2 + 1)
        y = F.relu(self.bn(self.conv(y))).reshape(n, c, 2, h, w // 2 + 1)
        re, im = y[:, :, 0], y[:, :, 1]
        if self.symbolic:
            return torch.fft.irfftn(torch.complex(re, im), s=(h, w), dim=(-2, -1), norm="ortho")
        return self.inverse(re, im)


class LaMa(nn.Module):
    def __init__(self, w=8, side=64, symbolic=False):
        super().__init__()
        self.stem = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(4, w, 7, bias=False), nn.BatchNorm2d(w), nn.ReLU())
        self.down = nn.Conv2d(w, 2 * w, 3, 2, 1, bias=False, padding_mode="reflect")
        self.l2l, self.g2l, self.l2g = (nn.Conv2d(w, w, 3, padding=1, bias=False, padding_mode="reflect") for _ in range(3))
        self.fu = Fourier(w, side // 2, symbolic)
        self.bn_l, self.bn_g = nn.BatchNorm2d(w), nn.BatchNorm2d(w)
        self.up = nn.ConvTranspose2d(2 * w, w, 3, 2, 1, 1)
        self.out = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(w, 3, 7), nn.Sigmoid())

    def forward(self, image, mask):
        x = self.down(self.stem(torch.cat([image * (1 - mask), mask], 1)))
        l, g = torch.chunk(x, 2, 1)
        a = F.relu(self.bn_l(self.l2l(l) + self.g2l(g)))
        b = F.relu(self.bn_g(self.l2g(l) + g + self.fu(g)))
        y = self.out(self.up(torch.cat([l + a, g + b], 1)))
        return mask * y + (1 - mask) * image


def turned(n, m, scale):
    """Cosines and sines of a transform of n values to m."""
    angle = torch.arange(n)[:, None] * torch.arange(m)[None] * (2 * math.pi / n)
    return torch.cos(angle) * scale, torch.sin(angle) * scale


class FourierUnit(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.conv_layer = nn.Conv2d(2 * w, 2 * w, 1, bias=False)
        self.bn = nn.BatchNorm2d(2 * w)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        n, c, h, w = (int(side) for side in x.shape)
        half = w // 2 + 1
        (rc, rs), (cc, cs) = turned(w, half, w**-0.5), turned(h, h, h**-0.5)
        re, im = x @ rc, -(x @ rs)
        re, im = cc @ re + cs @ im, cc @ im - cs @ re
        y = torch.stack([re, im], 2).reshape(n, c * 2, h, half)
        y = self.relu(self.bn(self.conv_layer(y))).reshape(n, c, 2, h, half)
        re, im = y[:, :, 0], y[:, :, 1]
        twice = torch.tensor([1.0] + [2.0] * (half - 2 + w % 2) + [1.0] * (1 - w % 2))
        re, im = (cc @ re - cs @ im) * twice, (cc @ im + cs @ re) * twice
        return re @ rc.T - im @ rs.T


class SpectralTransform(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(a, b // 2, 1, bias=False), nn.BatchNorm2d(b // 2), nn.ReLU(inplace=True))
        self.fu = FourierUnit(b // 2)
        self.conv2 = nn.Conv2d(b // 2, b, 1, bias=False)

    def forward(self, x):
        x = self.conv1(x)
        return self.conv2(x + self.fu(x))


class FFC(nn.Module):
    def __init__(self, ins, outs, k, s, p):
        super().__init__()
        layer = lambda a, b: nn.Conv2d(a, b, k, s, p, bias=False, padding_mode="reflect") if a and b else nn.Identity()
        (il, ig), (ol, og) = ins, outs
        self.convl2l, self.convl2g, self.convg2l = layer(il, ol), layer(il, og), layer(ig, ol)
        self.convg2g = SpectralTransform(ig, og) if ig and og else nn.Identity()
        self.has = (ig > 0, og > 0)

    def forward(self, l, g):
        from_g, to_g = self.has
        out_l = self.convl2l(l) + self.convg2l(g) if from_g else self.convl2l(l)
        out_g = (self.convl2g(l) + self.convg2g(g) if from_g else self.convl2g(l)) if to_g else None
        return out_l, out_g


class FFCBnAct(nn.Module):
    def __init__(self, ins, outs, k=3, s=1, p=1):
        super().__init__()
        self.ffc = FFC(ins, outs, k, s, p)
        self.bn_l = nn.BatchNorm2d(outs[0])
        self.bn_g = nn.BatchNorm2d(outs[1]) if outs[1] else nn.Identity()
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        l, g = self.ffc(*(x if isinstance(x, tuple) else (x, None)))
        l = self.act(self.bn_l(l))
        return (l, self.act(self.bn_g(g))) if g is not None else l


class FFCBlock(nn.Module):
    def __init__(self, split):
        super().__init__()
        self.conv1, self.conv2 = FFCBnAct(split, split), FFCBnAct(split, split)

    def forward(self, x):
        l, g = self.conv2(self.conv1(x))
        return x[0] + l, x[1] + g


class Joined(nn.Module):
    def forward(self, x):
        return torch.cat(x, 1)


class LaMaGenerator(nn.Module):
    """LaMa's generator under the names of its own code."""

    def __init__(self, w=4, blocks=2):
        super().__init__()
        split = (2 * w, 6 * w)
        parts = [nn.ReflectionPad2d(3), FFCBnAct((4, 0), (w, 0), 7, 1, 0), FFCBnAct((w, 0), (2 * w, 0), 3, 2), FFCBnAct((2 * w, 0), (4 * w, 0), 3, 2)]
        parts += [FFCBnAct((4 * w, 0), split, 3, 2), *[FFCBlock(split) for _ in range(blocks)], Joined()]
        for a in (8 * w, 4 * w, 2 * w):
            parts += [nn.ConvTranspose2d(a, a // 2, 3, 2, 1, 1), nn.BatchNorm2d(a // 2), nn.ReLU(True)]
        parts += [nn.ReflectionPad2d(3), nn.Conv2d(w, 3, 7), nn.Sigmoid()]
        self.model = nn.Sequential(*parts)

    def forward(self, x):
        return self.model(x)


class PublishedLaMa(nn.Module):
    """As people export it: two inputs, the picture put together, 0 to 255."""

    def __init__(self, w=4):
        super().__init__()
        self.generator = LaMaGenerator(w)

    def forward(self, image, mask):
        y = self.generator(torch.cat([image * (1 - mask), mask], 1))
        return torch.clamp((mask * y + (1 - mask) * image) * 255, 0, 255)


class Bilinear(nn.Module):
    """A U-Net that enlarges to its skips' sizes, with pools, group norm and SiLU."""

    def __init__(self, w=8, aligned=False):
        super().__init__()
        self.a, self.b, self.c = conv(4, w), conv(w, 2 * w), conv(3 * w, w)
        self.norm = nn.GroupNorm(4, 2 * w)
        self.out = nn.Conv2d(w, 3, 1)
        self.aligned = aligned

    def forward(self, x):
        a = F.silu(self.a(x))
        b = F.silu(self.norm(self.b(F.max_pool2d(a, 2))))
        b = b * torch.sigmoid(F.adaptive_avg_pool2d(b, 1))
        up = F.interpolate(b, size=a.shape[-2:], mode="bilinear", align_corners=self.aligned)
        return torch.sigmoid(self.out(F.avg_pool2d(F.relu6(self.c(torch.cat([a, up], 1))), 3, 1, 1)))


class Shuffle(nn.Module):
    """PixelShuffle and PixelUnshuffle, PReLU, GELU, Hardswish."""

    def __init__(self, w=8):
        super().__init__()
        self.head, self.body, self.tail = conv(16, w), conv(w, w), conv(w, 12)
        self.prelu = nn.PReLU(w)

    def forward(self, x):
        x = self.prelu(self.head(F.pixel_unshuffle(x, 2)))
        x = F.hardswish(self.body(F.gelu(x))) + F.softplus(x)
        return torch.tanh(F.pixel_shuffle(self.tail(x), 2))


class Attention(nn.Module):
    """A convolution, a transformer block over all pixels, a convolution."""

    def __init__(self, w=8, heads=2):
        super().__init__()
        self.head, self.tail, self.heads = conv(4, w, 4, 4, 0), nn.ConvTranspose2d(w, 3, 4, 4), heads
        self.norm1, self.norm2 = nn.LayerNorm(w), nn.LayerNorm(w)
        self.qkv, self.proj = nn.Linear(w, 3 * w), nn.Linear(w, w)
        self.mlp = nn.Sequential(nn.Linear(w, 2 * w), nn.GELU(), nn.Linear(2 * w, w))

    def forward(self, x):
        x = self.head(x)
        n, c, h, w = x.shape
        t = x.flatten(2).transpose(1, 2)
        q, k, v = self.qkv(self.norm1(t)).reshape(n, h * w, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        a = torch.softmax(q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5, -1)
        t = t + self.proj((a @ v).transpose(1, 2).reshape(n, h * w, c))
        t = t + self.mlp(self.norm2(t))
        return torch.tanh(self.tail(t.transpose(1, 2).reshape(n, c, h, w)))


class Mixed(nn.Module):
    """What hand-written generators do besides: normalising inside, `where`, slices, splits, einsum, means and deviations."""

    def __init__(self, w=8):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.head, self.tail = conv(4, w, 3, 2), conv(w, 3)
        self.mix = nn.Parameter(torch.randn(w, w) / w)

    def forward(self, image, mask):
        x = torch.where(mask > 0.5, torch.zeros_like(image), (image - self.mean) / 0.25)
        x = self.head(torch.cat([x, mask], 1))
        a, b = torch.split(x, [x.shape[1] // 2, x.shape[1] - x.shape[1] // 2], 1)
        x = torch.cat([torch.abs(a) ** 1.5, torch.exp(-(b**2))], 1)
        x = torch.einsum("nchw,cd->ndhw", x, self.mix)
        x = (x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + 1e-5)
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")[:, :, 1:-1, 1:-1]
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        return (torch.tanh(self.tail(x)) + 1) / 2


def randomised(net, seed=0):
    """Statistics and affine numbers that are no defaults."""
    torch.manual_seed(seed)
    for module in net.modules():
        for name in ("running_mean", "weight", "bias"):
            value = getattr(module, name, None)
            if isinstance(value, torch.Tensor) and "Norm" in type(module).__name__:
                value.data.normal_(1.0 if name == "weight" else 0.0, 0.2)
        if getattr(module, "running_var", None) is not None:
            module.running_var.uniform_(0.5, 1.5)
    return net.eval()


NETWORKS = {
    "pix2pix-batch": (lambda: Pix2Pix(), [(3, 64)]),
    "pix2pix-instance": (lambda: Pix2Pix(nn.InstanceNorm2d), [(3, 64)]),
    "cyclegan-instance": (lambda: CycleGAN(), [(3, 32)]),
    "cyclegan-batch": (lambda: CycleGAN(nn.BatchNorm2d), [(3, 32)]),
    "context": (lambda: ContextEncoder(), [(4, 32)]),
    "gated": (lambda: Gated(), [(3, 32), (1, 32)]),
    "migan": (lambda: MiGan(), [(4, 64)]),
    "lama-products": (lambda: LaMa(), [(3, 64), (1, 64)]),
    "lama-fft": (lambda: LaMa(symbolic=True), [(3, 64), (1, 64)]),
    "lama": (lambda: PublishedLaMa(), [(3, 64), (1, 64)]),
    "bilinear": (lambda: Bilinear(), [(4, 32)]),
    "bilinear-aligned": (lambda: Bilinear(aligned=True), [(4, 32)]),
    "shuffle": (lambda: Shuffle(), [(4, 32)]),
    "attention": (lambda: Attention(), [(4, 32)]),
    "mixed": (lambda: Mixed(), [(3, 32), (1, 32)]),
}
