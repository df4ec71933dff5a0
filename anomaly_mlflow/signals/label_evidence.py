"""Evidence where nobody knows which labels are right: every model has learnt from the given ones."""

from pathlib import Path

import numpy as np
import pandas as pd

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.signals.collect import ORDERS, cross_fitted, freeze
from anomaly_mlflow.signals.evidence import Evidence, Head
from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.folds import CROSS_FIT, fold_folder
from anomaly_mlflow.training.inference import infer, infer_layers, rearranged_logits, stochastic_logits
from anomaly_mlflow.training.recording import Recording

__all__ = ["label_evidence", "out_of_fold", "write_plan"]

PASSES = 30


def write_plan(samples: Samples, fold: np.ndarray, folder: Path) -> None:
    """Note beside the fold models that each learnt from all rows of the other folds."""
    plan = {"sample_id": samples.sample_id, "fold": fold, "reference": np.ones(len(fold), bool)}
    pd.DataFrame(plan).to_parquet(folder / CROSS_FIT)


def out_of_fold(samples: Samples, fold: np.ndarray, folder: Path) -> tuple[np.ndarray, list[np.ndarray]]:
    """Logits float32 (n, C) of each row by the model of its fold, and the embeddings of each fold's own rows."""
    logits, embeddings = np.empty((len(samples), samples.num_classes), np.float32), []
    for k in range(fold.max() + 1):
        own, logits[fold == k] = infer(load_model(fold_folder(folder, k)), samples.images, rows=fold == k)
        embeddings.append(own)
    return logits, embeddings


def label_evidence(
    samples: Samples, folder: Path, logits: np.ndarray, model: Classifier, recording: Recording
) -> Evidence:
    """The fold models in the folder serve as clean side too: prototypes and neighbours bear given labels.

    logits: float32 (n, C), out of fold. Without gradients, second splits and the probes of metadata archaeology.
    """
    layers = infer_layers(model, samples.images)
    head = Head(*(value.detach().cpu().numpy() for value in (model.head.weight, model.head.bias)))
    evidence = Evidence(
        samples.sample_id.view(),
        samples.labels.view(),
        samples.num_classes,
        images=samples.images.view(),
        logits=layers[-1] @ head.weight.T + head.bias,
        embeddings=layers[-1],
        head=head,
        layers=layers,
        stochastic=stochastic_logits(model, layers[-1], PASSES, 0),
        rearranged=rearranged_logits(model, samples.images, ORDERS, 0),
        recording=recording,
        references=cross_fitted(samples, folder),
        out_of_fold=logits,
    )
    freeze(evidence)
    return evidence
