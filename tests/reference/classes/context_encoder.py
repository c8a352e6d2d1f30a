import torch
from torch import nn


class ContextEncoder(nn.Module):
    """As people paste it."""

    def __init__(self, channels=4, w: int = 2):
        super(ContextEncoder, self).__init__()
        layers = [nn.Conv2d(channels, w, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        for a, b in [(w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w)] + [(8 * w, 8 * w)] * 5:
            layers += [nn.Conv2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]
        self.encoder = nn.Sequential(*layers)
        layers = []
        for a, b in [(8 * w, 8 * w)] * 4 + [(8 * w, 4 * w), (4 * w, 2 * w), (2 * w, w)]:
            layers += [nn.ConvTranspose2d(a, b, kernel_size=4, stride=2, padding=1), nn.BatchNorm2d(b), nn.ReLU()]
        self.decoder = nn.Sequential(*layers, nn.ConvTranspose2d(w, 3, 4, 2, 1), nn.Sigmoid())

    def forward(self, x):
        code = self.encoder(x)
        return self.decoder(code)
