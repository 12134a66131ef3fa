"""The PET lesion network: a small 3-D residual U-Net whose full-resolution level is kept thin."""
import torch
from torch import nn

SUV_HIGH = 20.0


def block(inputs, outputs, stride=1):
    """3x3x3 convolution and BatchNorm, which the ONNX export folds into one operator."""
    return nn.Sequential(nn.Conv3d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm3d(outputs))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first, self.second = block(channels, channels), block(channels, channels)

    def forward(self, x):
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class Up(nn.Module):
    """1x1x1 convolution, nearest Resize by 2, sum with the skip, residual block. No transposed convolution: WebGPU has none."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.narrow = nn.Sequential(nn.Conv3d(inputs, outputs, 1, bias=False), nn.BatchNorm3d(outputs))
        self.grow = nn.Upsample(scale_factor=2, mode='nearest')
        self.refine = Residual(outputs)

    def forward(self, x, skip):
        return self.refine(torch.relu(self.grow(self.narrow(x)) + skip))


class LesionNetwork(nn.Module):
    """[1, 1, D, H, W] SUV / 20 clipped to 0-1 -> [1, 1, D, H, W] probability of lesion. Sides are multiples of 16."""

    def __init__(self, widths=(6, 16, 32, 56, 80)):
        super().__init__()
        self.stem = nn.Sequential(block(3, widths[0]), nn.ReLU(inplace=True))
        self.down = nn.ModuleList([nn.Sequential(block(a, b, 2), nn.ReLU(inplace=True), Residual(b))
                                   for a, b in zip(widths, widths[1:])])
        self.up = nn.ModuleList([Up(b, a) for a, b in reversed(list(zip(widths, widths[1:])))])
        self.head = nn.Conv3d(widths[0], 1, 1)
        nn.init.constant_(self.head.bias, -3.0)

    def logit(self, x):
        # Three views of one uptake: the hot end, a logarithm for the whole range, and the muscle-to-liver range.
        suv = x * SUV_HIGH
        levels = [self.stem(torch.cat([x, torch.log(1 + suv) / 2, torch.clamp(suv / 4, 0, 1)], 1))]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = levels.pop()
        for up in self.up:
            x = up(x, levels.pop())
        return self.head(x)

    def forward(self, x):
        return torch.sigmoid(self.logit(x))
