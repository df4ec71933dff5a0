"""Vision transformer sized to the image (Dosovitskiy et al. 2021), from timm."""

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn.functional import pad

from anomaly_mlflow.models.registry import ImageShape, model

__all__ = ["ViT"]


class ViT(nn.Module):
    """Transformer encoder; the embedding is the mean over the patch tokens.

    From 16 pixels a side: eight patches a side, six blocks of width 128. Below: patches of 2 pixels, four
    blocks of width 64.
    """

    def __init__(self, image_shape: ImageShape):
        super().__init__()
        height, width, channels = image_shape
        side = min(height, width)
        patch = max(2, round(side / 8))
        self.margin = (0, -width % patch, 0, -height % patch)
        self.width, depth = (128, 6) if side >= 16 else (64, 4)
        self.body = VisionTransformer(
            img_size=(height + self.margin[3], width + self.margin[1]),
            patch_size=patch,
            in_chans=channels,
            num_classes=0,
            embed_dim=self.width,
            depth=depth,
            num_heads=4,
            global_pool="avg",
            class_token=False,
        )
        # The fused attention's backward pass in bfloat16 is several times slower on a CPU.
        for block in self.body.blocks:
            block.attn.fused_attn = False
        self.stages = list(self.body.blocks)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embedding (n, 64 or 128)."""
        return self.body(pad(images, self.margin))


@model(
    "vit",
    channels_last=False,
    settings={"optimizer": "adamw", "learning_rate": 2e-3, "weight_decay": 0.05, "batch_size": 64},
)
def vit(image_shape: ImageShape) -> nn.Module:
    """1.2 million weights at 32 pixels, 0.2 million at 8."""
    return ViT(image_shape)
