"""ResNet-20 for small images (He et al. 2016, section 4.2)."""

import torch
from torch import nn
from torch.nn import functional as F

from anomaly_mlflow.models.registry import ImageShape, model

__all__ = ["ResNet20"]


class _Block(nn.Module):
    """Two 3x3 convolutions around a shortcut without weights (option A: subsample, pad channels with zeros)."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.stride, self.extra = stride, outputs - inputs
        self.first = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))
        hidden = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(hidden)) + shortcut)


class ResNet20(nn.Module):
    """Three stages of three blocks at 16, 32 and 64 channels."""

    width = 64

    def __init__(self, channels: int):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        plan = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
        self.blocks = nn.Sequential(*(_Block(*sizes) for sizes in plan))
        self.stages = [self.stem, *self.blocks[2::3]]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embedding (n, 64)."""
        return self.blocks(self.stem(images)).mean(dim=(2, 3))


@model("resnet20", settings={"learning_rate": 0.2})
def resnet20(image_shape: ImageShape) -> nn.Module:
    """0.27 million weights at three channels."""
    return ResNet20(image_shape[2])
