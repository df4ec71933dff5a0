"""ResNet-18 for small images (He et al. 2016), from torchvision."""

import torch
import torchvision
from torch import nn

from anomaly_mlflow.models.registry import ImageShape, model

__all__ = ["ResNet18"]


class ResNet18(nn.Module):
    """Four stages of two blocks at 64 to 512 channels; a 3x3 stem of stride 1 and no max-pool, as usual on CIFAR."""

    width = 512

    def __init__(self, channels: int):
        super().__init__()
        self.net = torchvision.models.resnet18(num_classes=1)
        self.net.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(self.net.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.net.maxpool, self.net.fc = nn.Identity(), nn.Identity()
        # The place of the max-pool is now the end of the stem.
        self.stages = [self.net.maxpool, self.net.layer1, self.net.layer2, self.net.layer3, self.net.layer4]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embedding (n, 512)."""
        return self.net(images)


@model("resnet18", settings={"learning_rate": 0.05})
def resnet18(image_shape: ImageShape) -> nn.Module:
    """11.2 million weights at three channels."""
    return ResNet18(image_shape[2])
