# The network of tests/reference/checkpoints/make.py.
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, 1)
        self.block = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.InstanceNorm2d(2))

    def forward(self, x):
        return self.conv(x)
