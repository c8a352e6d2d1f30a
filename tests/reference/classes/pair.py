import torch
from torch import nn


class Generator(nn.Module):
    def __init__(self, w=4, bottleneck=30):
        super().__init__()
        widths = [6, w, 2 * w, 4 * w, 8 * w]
        down = [self.step(widths[i], widths[i + 1]) for i in range(4)]
        self.encoder = nn.Sequential(
            *down[0], *down[1], *down[2], *down[3],
            nn.Conv2d(8 * w, bottleneck, 1), nn.BatchNorm2d(bottleneck), nn.LeakyReLU(0.2),
        )
        self.decoder = nn.Sequential(
            *self.rise(bottleneck, 8 * w), *self.rise(8 * w, 4 * w), *self.rise(4 * w, 2 * w), *self.rise(2 * w, w),
            nn.ConvTranspose2d(w, 3, (3, 3), 1, padding=(1, 1)), nn.Tanh(),
        )

    def step(self, a, b):
        return [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]

    def rise(self, a, b):
        return [nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding=1), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]

    def forward(self, x1, x2):
        return self.decoder(self.encoder(torch.cat([x1, x2], dim=1)))
