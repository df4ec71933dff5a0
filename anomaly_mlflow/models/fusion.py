"""Two sources, one answer: an image encoder and a metadata network, concatenated, and a linear head."""

from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn.functional import layer_norm, one_hot

from anomaly_mlflow.models.build import Classifier

__all__ = ["MODALITIES", "FusionNet", "FusionSettings", "standardised"]

MODALITIES = ("both", "image", "metadata")


@dataclass(frozen=True)
class FusionSettings:
    """How the two sources are used.

    modalities: both, or the one that is left to a control; the other's embedding is zero, in training and after it.
    modality_dropout: probability that a training pair's metadata embedding is zero (Neverova et al. 2016, ModDrop,
    TPAMI 38). embedding_noise: deviation of the Gaussian noise on it in training, in deviations of its own values, so
    that larger weights are no way around the noise. metadata_scale: factor on the metadata embedding, which is as loud
    as the image's at 1.
    """

    modalities: str = "both"
    modality_dropout: float = 0.0
    embedding_noise: float = 0.0
    metadata_scale: float = 1.0

    def to_dict(self) -> dict:
        """Plain types for JSON."""
        return asdict(self)


def standardised(embedding: torch.Tensor) -> torch.Tensor:
    """The embedding (n, d) with mean 0 and deviation 1 over each row (layer normalisation, Ba et al. 2016)."""
    return layer_norm(embedding, embedding.shape[1:])


class FusionNet(nn.Module):
    """A classifier's embedding beside a two-layer network's on a one-hot class code; one linear head on both.

    Both embeddings have the same width and are standardised: neither source is louder than the settings say.
    image: any of our classifiers; its own head is not used. Images: float (n, channels, height, width) in 0..1; codes:
    int64 (n,), the class that the metadata names.
    """

    def __init__(self, image: Classifier, settings: FusionSettings):
        super().__init__()
        self.settings = settings
        self.image = image
        self.image.head.requires_grad_(False)
        self.num_classes = image.architecture.num_classes
        width = image.body.width
        self.metadata = nn.Sequential(nn.Linear(self.num_classes, width), nn.ReLU(), nn.Linear(width, width))
        self.head = nn.Linear(2 * width, self.num_classes)

    def embed_image(self, images: torch.Tensor) -> torch.Tensor:
        """Image embedding, float32 (n, d); zero where images are not used."""
        if self.settings.modalities == "metadata":
            return torch.zeros(len(images), self.image.body.width, device=images.device)
        return standardised(self.image.embed(images).float())

    def embed_metadata(self, codes: torch.Tensor) -> torch.Tensor:
        """Metadata embedding, float32 (n, d); zero where metadata are not used."""
        with torch.autocast(codes.device.type, enabled=False):
            embedding = standardised(self.metadata(one_hot(codes, self.num_classes).float()))
        return embedding * (0.0 if self.settings.modalities == "image" else self.settings.metadata_scale)

    def fuse(self, image: torch.Tensor, metadata: torch.Tensor) -> torch.Tensor:
        """Logits (n, classes) of two embeddings, in float32."""
        with torch.autocast(image.device.type, enabled=False):
            return self.head(self.image.dropout(torch.cat([image, metadata], dim=1)))

    def forward(self, images: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Logits (n, classes); in training the metadata embedding is disturbed as the settings say."""
        metadata = self.embed_metadata(codes)
        return self.fuse(self.embed_image(images), self._disturbed(metadata) if self.training else metadata)

    def _disturbed(self, embedding: torch.Tensor) -> torch.Tensor:
        if self.settings.embedding_noise:
            deviation = self.settings.embedding_noise * self.settings.metadata_scale
            embedding = embedding + deviation * torch.randn_like(embedding)
        if self.settings.modality_dropout:
            kept = torch.rand(len(embedding), 1, device=embedding.device) >= self.settings.modality_dropout
            embedding = embedding * kept
        return embedding
