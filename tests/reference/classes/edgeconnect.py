# EdgeConnect's two generators, in the manner of the published code.
import torch
import torch.nn as nn


class BaseNetwork(nn.Module):
    def __init__(self):
        super().__init__()

    def init_weights(self, init_type='normal', gain=0.02):
        def init_func(m):
            pass
        self.apply(init_func)


def spectral_norm(module, mode=True):
    if mode:
        return nn.utils.spectral_norm(module)
    return module


class ResnetBlock(nn.Module):
    def __init__(self, dim, dilation=1, use_spectral_norm=False):
        super(ResnetBlock, self).__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(dilation),
            spectral_norm(nn.Conv2d(in_channels=dim, out_channels=dim, kernel_size=3, padding=0, dilation=dilation,
                                    bias=not use_spectral_norm), use_spectral_norm),
            nn.InstanceNorm2d(dim, track_running_stats=False),
            nn.ReLU(True),

            nn.ReflectionPad2d(1),
            spectral_norm(nn.Conv2d(in_channels=dim, out_channels=dim, kernel_size=3, padding=0, dilation=1,
                                    bias=not use_spectral_norm), use_spectral_norm),
            nn.InstanceNorm2d(dim, track_running_stats=False),
        )

    def forward(self, x):
        out = x + self.conv_block(x)
        return out


class InpaintGenerator(BaseNetwork):
    def __init__(self, residual_blocks=8, w=4, init_weights=True):
        super(InpaintGenerator, self).__init__()

        self.encoder = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(in_channels=4, out_channels=w, kernel_size=7, padding=0),
            nn.InstanceNorm2d(w, track_running_stats=False),
            nn.ReLU(True),

            nn.Conv2d(in_channels=w, out_channels=2 * w, kernel_size=4, stride=2, padding=1),
            nn.InstanceNorm2d(2 * w, track_running_stats=False),
            nn.ReLU(True),

            nn.Conv2d(in_channels=2 * w, out_channels=4 * w, kernel_size=4, stride=2, padding=1),
            nn.InstanceNorm2d(4 * w, track_running_stats=False),
            nn.ReLU(True)
        )

        blocks = []
        for _ in range(residual_blocks):
            block = ResnetBlock(4 * w, 2)
            blocks = blocks + [block]

        self.middle = nn.Sequential(*blocks)

        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(in_channels=4 * w, out_channels=2 * w, kernel_size=4, stride=2, padding=1),
            nn.InstanceNorm2d(2 * w, track_running_stats=False),
            nn.ReLU(True),

            nn.ConvTranspose2d(in_channels=2 * w, out_channels=w, kernel_size=4, stride=2, padding=1),
            nn.InstanceNorm2d(w, track_running_stats=False),
            nn.ReLU(True),

            nn.ReflectionPad2d(3),
            nn.Conv2d(in_channels=w, out_channels=3, kernel_size=7, padding=0),
        )

        if init_weights:
            self.init_weights()

    def forward(self, x):
        x = self.encoder(x)
        x = self.middle(x)
        x = self.decoder(x)
        x = (torch.tanh(x) + 1) / 2

        return x
