"""Two networks of one kind that answer as one: `pair:NAME`, what a training of two networks ends in."""

from dataclasses import replace

import torch
from torch import nn

from anomaly_mlflow.models.build import Architecture, Classifier, build
from anomaly_mlflow.models.registry import MODELS, ImageShape, Recipe, family

__all__ = ["Pair", "pair_of"]

PREFIX = "pair"


class Pair(nn.Module):
    """Two bodies whose embeddings stand side by side; `stages` are those of the first."""

    def __init__(self, first: nn.Module, second: nn.Module):
        super().__init__()
        self.first, self.second = first, second
        self.width = first.width + second.width
        self.stages = list(first.stages)
        self.channel_axis = getattr(first, "channel_axis", 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embedding (n, width)."""
        return torch.cat([self.first(images), self.second(images)], dim=1)


@family(PREFIX, lambda: list(MODELS), spoken=False)
def pair(name: str) -> Recipe:
    """Two of the registered models, made and trained as one of them is."""
    recipe = MODELS[name]

    def body(image_shape: ImageShape) -> nn.Module:
        return Pair(recipe.body(image_shape), recipe.body(image_shape))

    return replace(recipe, body=body, pretrained=None)


@torch.no_grad()
def pair_of(first: Classifier, second: Classifier) -> Classifier:
    """A classifier whose logits are the mean of theirs; it is built anew and can be saved as any other.

    The class it names is the one that the sum of their logits names. Both are of one architecture and normalise their
    images alike. Raises UnknownName where that is no registered model.
    """
    one = first.architecture
    model = build(Architecture(f"{PREFIX}:{one.name}", one.image_shape, one.num_classes, one.dropout))
    model = model.to(first.mean.device)
    model.mean.copy_(first.mean)
    model.deviation.copy_(first.deviation)
    model.body.first.load_state_dict(first.body.state_dict())
    model.body.second.load_state_dict(second.body.state_dict())
    model.head.weight.copy_(torch.cat([first.head.weight, second.head.weight], dim=1) / 2)
    model.head.bias.copy_((first.head.bias + second.head.bias) / 2)
    return model.eval()
