"""ConvNeXt for small images (Liu et al. 2022), from timm."""

import torch
from timm.models.convnext import ConvNeXt as TimmConvNeXt
from torch import nn

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.models.registry import ImageShape, model

__all__ = ["ConvNeXt"]


class ConvNeXt(nn.Module):
    """Four stages at 40 to 320 channels, timm's size `atto`; the stem has patches of 2 pixels, of 1 below 16 a side.

    Raises BadData on images under 8 pixels a side: three stages halve them.
    """

    width = 320

    def __init__(self, image_shape: ImageShape):
        super().__init__()
        height, width, channels = image_shape
        if min(height, width) < 8:
            raise BadData(
                f"convnext needs images of 8 pixels a side, these are {height}x{width}; choose convnet, resnet20 or vit"
            )
        self.net = TimmConvNeXt(
            in_chans=channels,
            num_classes=0,
            depths=(2, 2, 6, 2),
            dims=(40, 80, 160, 320),
            patch_size=2 if min(height, width) >= 16 else 1,
            conv_mlp=True,
        )
        # After a stem of 2 pixels timm would halve the map once more, to nothing in the last stage of a small image.
        self.net.stages[0].downsample = nn.Identity()
        self.stages = list(self.net.stages)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embedding (n, 320)."""
        return self.net(images)


@model(
    "convnext",
    bfloat16=lambda image_shape: False,  # slower: the convolutions are depthwise
    settings={"optimizer": "adamw", "learning_rate": 2e-3, "weight_decay": 0.05},
)
def convnext(image_shape: ImageShape) -> nn.Module:
    """3.4 million weights; any image from 8 pixels a side."""
    return ConvNeXt(image_shape)
