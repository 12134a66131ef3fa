"""The radiograph classifier: a small residual network on 224x224 grey images."""
import torch
from torch import nn


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut; the first halves the image when `stride` is 2."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        # Average before the 1x1 convolution: a strided 1x1 would ignore three pixels of four.
        self.shortcut = nn.Identity() if stride == 1 and inputs == outputs else nn.Sequential(
            nn.AvgPool2d(stride), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


class RadiographNetwork(nn.Module):
    """[N, 1, 224, 224] z-scored display grey -> [N, 1] probability of pneumonia.

    Each image is first set to zero mean and unit spread, so that overall brightness and contrast, which differ between
    the classes of the training set for reasons of exposure, carry nothing.
    """

    def __init__(self, dropout=0.2):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 5, 2, 2, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True))
        widths = [16, 24, 48, 80, 112]
        self.stages = nn.Sequential(*[Residual(a, b, 2) for a, b in zip(widths, widths[1:])], Residual(112, 112, 1))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], 1)

    def logit(self, x):
        x = x - x.mean(dim=(2, 3), keepdim=True)
        x = x / torch.sqrt((x * x).mean(dim=(2, 3), keepdim=True) + 1e-4)
        return self.head(self.dropout(self.stages(self.stem(x)).mean(dim=(2, 3))))

    def forward(self, x):
        return torch.sigmoid(self.logit(x))

    def calibrate(self, scale, offset):
        """Folds logit' = scale * logit + offset into the last layer."""
        with torch.no_grad():
            self.head.weight.mul_(scale)
            self.head.bias.mul_(scale).add_(offset)
