"""One classifier around every body."""

from dataclasses import asdict, dataclass

import torch
from torch import nn

from anomaly_mlflow.errors import BadData, BadOption
from anomaly_mlflow.models.layers import average_positions, stage_outputs
from anomaly_mlflow.models.registry import find

__all__ = ["Architecture", "Classifier", "build"]


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build a model again; it travels as JSON beside the weights.

    image_shape: height, width, channels; dropout: probability before the head.
    """

    name: str
    image_shape: tuple[int, int, int]
    num_classes: int
    dropout: float = 0.1

    def to_dict(self) -> dict:
        """Plain types for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> "Architecture":
        """Check and read what `to_dict` wrote. Raises BadData: the file may come from anybody."""
        try:
            height, width, channels = values["image_shape"]
            found = cls(values["name"], (height, width, channels), values["num_classes"], float(values["dropout"]))
            if {type(size) for size in (*found.image_shape, found.num_classes)} != {int} or type(found.name) is not str:
                raise TypeError("sizes are whole numbers, the name is text")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BadData(f"architecture.json does not describe a model ({error!r}); log the model again") from None
        sane = 1 <= height <= 1024 and 1 <= width <= 1024 and channels in (1, 3)
        if not (sane and 2 <= found.num_classes <= 100_000 and 0 <= found.dropout < 1):
            raise BadData(f"architecture.json describes no model that can be built: {found}")
        return found


class Classifier(nn.Module):
    """A body, dropout and a linear head.

    Input of `embed` and `forward`: float (n, channels, height, width) in 0..1; normalisation by the
    training set's mean and deviation is part of the model, so that a served model needs no recipe.
    """

    def __init__(self, architecture: Architecture, body: nn.Module):
        super().__init__()
        self.architecture = architecture
        channels = architecture.image_shape[2]
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("deviation", torch.ones(1, channels, 1, 1))
        self.body = body
        self.dropout = nn.Dropout(architecture.dropout)
        self.head = nn.Linear(self.body.width, architecture.num_classes)

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Embedding (n, d), the input of dropout and head."""
        return self.body((images - self.mean) / self.deviation)

    def layers(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Output of each stage of the body averaged over positions, then the embedding: (n, d_l) each, float32."""
        axis = getattr(self.body, "channel_axis", 1)
        stages, embedding = stage_outputs(
            self.body.stages, lambda: self.embed(images), lambda output: average_positions(output.float(), axis)
        )
        return [*stages, embedding.float()]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (n, classes), the head always in float32: the recorder keeps them."""
        embedding = self.embed(images)
        with torch.autocast(embedding.device.type, enabled=False):
            return self.head(self.dropout(embedding.float()))


def build(architecture: Architecture, pretrained: bool = False) -> Classifier:
    """A fresh model with random weights, or a body with published ones. Raises UnknownName, BadOption, BadData."""
    recipe = find(architecture.name)
    make = recipe.pretrained if pretrained else recipe.body
    if make is None:
        raise BadOption(f"model '{architecture.name}' has no pretrained weights; take timm:NAME or pretrained=no")
    return Classifier(architecture, make(architecture.image_shape))
