"""A small plain convolutional network: the fast choice on a CPU."""

import torch
from torch import nn

from anomaly_mlflow.models.registry import ImageShape, model

__all__ = ["ConvNet"]


def _group(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.BatchNorm2d(outputs),
        nn.GELU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.GELU(),
    )


class ConvNet(nn.Module):
    """Stem and three groups of two 3x3 convolutions, halving the side in each (after Jordan 2024, airbench94)."""

    width = 128

    def __init__(self, channels: int):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, 24, 2, padding=0), nn.GELU())
        self.groups = nn.Sequential(_group(24, 32), _group(32, 64), _group(64, self.width))
        self.stages = [self.stem, *self.groups]
        self.pool = nn.AdaptiveMaxPool2d(1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embedding (n, 128)."""
        return self.pool(self.groups(self.stem(images))).flatten(1)


@model("convnet", settings={"learning_rate": 0.2, "batch_size": 256, "weight_decay": 5e-3})
def convnet(image_shape: ImageShape) -> nn.Module:
    """About 0.3 million weights; any image from 4 pixels a side."""
    return ConvNet(image_shape[2])
