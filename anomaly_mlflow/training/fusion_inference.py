"""What a trained fusion network answers, and how much of an answer either source accounts for."""

from dataclasses import dataclass

import numpy as np
import torch

from anomaly_mlflow.models.fusion import FusionNet, standardised
from anomaly_mlflow.training.inference import infer

__all__ = ["Answers", "answers", "image_embeddings", "metadata_attribution"]


@dataclass(frozen=True)
class Answers:
    """Embeddings of both sources, float32 (n, d) each, and logits, float32 (n, classes)."""

    image: np.ndarray
    metadata: np.ndarray
    logits: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """Class of the largest logit, int64 (n,)."""
        return self.logits.argmax(axis=1)


def image_embeddings(model: FusionNet, images: np.ndarray) -> np.ndarray:
    """Image embeddings, float32 (n, d), of uint8 (n, height, width, channels); zero where images are not used."""
    if model.settings.modalities == "metadata":
        return np.zeros((len(images), model.image.body.width), np.float32)
    return standardised(torch.from_numpy(infer(model.image, images)[0])).numpy()


@torch.inference_mode()
def answers(model: FusionNet, image: np.ndarray, codes: np.ndarray | None) -> Answers:
    """Answers to image embeddings, float32 (n, d), with the classes that metadata name, int64 (n,); None: without any.

    Metadata that are missing have a zero embedding, as in modality dropout.
    """
    training, device = model.training, model.head.weight.device
    model.eval()
    named = torch.from_numpy(np.zeros(len(image), np.int64) if codes is None else codes).to(device)
    metadata = model.embed_metadata(named) * (codes is not None)
    logits = model.fuse(torch.from_numpy(image).to(device), metadata)
    model.train(training)
    return Answers(image, metadata.cpu().numpy(), logits.cpu().numpy())


def metadata_attribution(model: FusionNet, asked: Answers, reference: Answers) -> np.ndarray:
    """Share of the predicted logit that the metadata embedding accounts for, float64 (n,) in 0..1.

    The Shapley value of a source is w_c . (e - mean e) over its part of the head, w_c being the predicted class's
    weights less the mean over classes, which softmax does not see (Lundberg and Lee 2017, NeurIPS, corollary 1). The
    head is linear in the embeddings, so that gradient x input and integrated gradients from the mean are the same.
    reference: whose mean embedding an embedding is measured against. Share: of the sum of both magnitudes; .5 of none.
    """
    weight = model.head.weight.detach().double().cpu().numpy()
    weight = (weight - weight.mean(axis=0))[asked.predicted]
    width = asked.image.shape[1]
    image = (weight[:, :width] * (asked.image - reference.image.mean(axis=0, dtype=np.float64))).sum(axis=1)
    metadata = (weight[:, width:] * (asked.metadata - reference.metadata.mean(axis=0, dtype=np.float64))).sum(axis=1)
    total = np.abs(image) + np.abs(metadata)
    return np.divide(np.abs(metadata), total, out=np.full(len(total), 0.5), where=total > 0)
