"""The networks: the starter, and the default model that grows out of it.

Input [N, 4, H, W]: RGB in [-1, 1] and the mask (1 = hole). In the hole the starter wants 0, the default model a smooth
continuation of what surrounds it (`data.smooth`). Output [N, 3, H, W] in [-1, 1], give or take a little.
"""
import re

import torch
import torch.nn as nn
from safetensors.torch import load_file


def leaky():
    return nn.LeakyReLU(0.2, inplace=True)


def conv(inputs, outputs, kernel=3, stride=1, dilation=1):
    padding = 1 if kernel == 4 else dilation * (kernel // 2)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation)


class Residual(nn.Module):
    """`x + conv2(conv1(x))`."""

    def __init__(self, channels, dilation):
        super().__init__()
        self.conv1 = nn.Sequential(conv(channels, channels, dilation=dilation), leaky())
        self.conv2 = nn.Sequential(conv(channels, channels))

    def forward(self, x):
        return x + self.conv2(self.conv1(x))


class Context(nn.Module):
    """What lies far away, at 1/16 and 1/32 of the window: adds to its input, nothing at the start of training."""

    def __init__(self, channels, width):
        super().__init__()
        self.down = nn.Sequential(conv(channels, width, 3, 2), leaky())
        self.wide = nn.Sequential(conv(width, width, 3, 2), leaky(), conv(width, width), leaky(), upsample())
        self.mix = nn.Sequential(conv(width, width), leaky(), conv(width, channels, 1), upsample())
        nn.init.zeros_(self.mix[2].weight)
        nn.init.zeros_(self.mix[2].bias)

    def forward(self, x):
        a = self.down(x)
        return x + self.mix(a + self.wide(a))


def upsample():
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)


def down(inputs, outputs):
    return nn.Sequential(conv(inputs, outputs, 4, 2), leaky())


def up(inputs, outputs):
    # Transposed convolutions print a checkerboard under a feature loss.
    return nn.Sequential(conv(inputs, outputs), leaky(), upsample())


class ContextUNet(nn.Module):
    """What a smooth continuation lacks: StarterUNet with its batch norms folded into the convolutions, a context branch,
    and a way past all of it for what the hole holds already. Sides a multiple of 32.

    Without batch norms, crops of any size and batches of any number train alike.
    """

    def __init__(self, c=32):
        super().__init__()
        self.stem = nn.Sequential(conv(4, c), leaky())
        self.down1, self.down2, self.down3 = down(c, 2 * c), down(2 * c, 4 * c), down(4 * c, 8 * c)
        first, *others = (Residual(8 * c, d) for d in (1, 2, 4, 8, 1))
        self.body = nn.Sequential(first, Context(8 * c, 4 * c), *others)
        self.up3, self.up2, self.up1 = up(8 * c, 4 * c), up(8 * c, 2 * c), up(4 * c, c)
        self.head = nn.Sequential(conv(2 * c, c), leaky(), conv(c, 3))
        self.skip = nn.Conv2d(4, 3, 1)

    def forward(self, x):
        s = self.stem(x)
        h = self.down1(s)
        q = self.down2(h)
        y = self.up3(self.body(self.down3(q)))
        y = self.up2(torch.cat([y, q], 1))
        y = self.up1(torch.cat([y, h], 1))
        return self.head(torch.cat([y, s], 1)) + self.skip(x)


def starter_weights(path):
    """StarterUNet's state dict with every batch norm folded into the convolution before it."""
    state = {key: value.float() for key, value in load_file(path).items()}
    folded = {}
    for key, value in state.items():
        module, name = key.rsplit(".", 1)
        parent, _, index = module.rpartition(".")
        if f"{module}.running_mean" in state:
            continue
        norm = f"{parent}.{int(index) + 1}" if parent != "head" else None
        if norm is None or f"{norm}.running_mean" not in state:
            folded[key] = value
            continue
        scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + 1e-5).sqrt()
        if name == "weight":
            folded[key] = value * scale.view(-1, 1, 1, 1)
        else:
            folded[key] = (value - state[f"{norm}.running_mean"]) * scale + state[f"{norm}.bias"]
    return folded


def from_starter(path):
    """The default model before training: it gives back what it gets."""
    net = ContextUNet()
    # The context branch stands between the starter's first two blocks.
    later = lambda key: re.sub(r"^body\.([1-9])", lambda found: f"body.{int(found[1]) + 1}", key)
    weights = {later(key): value for key, value in starter_weights(path).items()}
    missing, unexpected = net.load_state_dict(weights, strict=False)
    assert not unexpected, unexpected
    assert all(key.startswith(("body.1.", "skip.")) for key in missing), missing
    with torch.no_grad():
        for part in (net.head[2], net.skip):
            part.weight.zero_()
            part.bias.zero_()
        net.skip.weight[:, :3, 0, 0] = torch.eye(3)
    return net
