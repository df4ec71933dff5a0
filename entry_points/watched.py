"""A registered model that is monitored: its weights, the images it was trained on, and those held out from it."""

import logging
from dataclasses import dataclass

import numpy as np

from anomaly_mlflow.data.groups import fingerprints
from anomaly_mlflow.data.listing import list_source
from anomaly_mlflow.data.on_disk import each
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import materialise
from anomaly_mlflow.errors import BadData, BadOption, Leakage, RunNotFound
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.tracking.lifecycle import upstream_of
from anomaly_mlflow.tracking.registry import model_folder
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import load_model
from entry_points.sample_files import read_samples, read_split

__all__ = ["Watched", "among", "read_batch", "read_reference", "read_watched"]

BY_CHANCE = 0.01
"""Share of a reference that may equal training images by chance."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Watched:
    """A model in evaluation mode; trained, held_out: its data, None where they are not known here."""

    name: str
    model: Classifier
    trained: Samples | None
    held_out: Samples | None


def read_watched(made: Run) -> Watched:
    """The model that a run registered, without running code of it. Raises RunNotFound and BadData."""
    model, name = load_model(model_folder(made)), made.tags.get("anomaly.model", made.id)
    try:
        trained, held_out = _data_of(made)
    except (BadData, RunNotFound) as error:
        logger.warning("the data of %s cannot be read (%s): what it was trained on is not known", name, error)
        trained = held_out = None
    return Watched(name, model, trained, held_out)


def read_reference(watched: Watched, spec: str | None) -> Samples:
    """Images that the model was not trained on: of a source, or those held out from its data.

    Raises Leakage where more than 1 % of them equal training images, BadOption where no source is named or known.
    """
    if spec is None and watched.held_out is None:
        raise BadOption(f"no held-out images of {watched.name} are known; name a source as reference")
    reference = _images_of(spec, watched) if spec else watched.held_out
    seen = among(reference, watched.trained)
    if seen.mean() > BY_CHANCE:
        raise Leakage(
            f"{seen.sum()} of {len(reference)} reference images are among the training images of {watched.name}, which "
            "is surer of these than of new ones: clean batches would raise the alarm; name held-out images"
        )
    return _without(seen, reference, "reference")


def read_batch(watched: Watched, spec: str) -> Samples:
    """The images of a source, without those that the model was trained on. Raises BadData where none is left."""
    batch = _images_of(spec, watched)
    return _without(among(batch, watched.trained), batch, spec)


def among(samples: Samples, others: Samples | None) -> np.ndarray:
    """bool (n,): which images equal one of the others, by their pixels."""
    if others is None:
        return np.zeros(len(samples), bool)
    return np.isin(fingerprints(each(samples.images)), fingerprints(each(others.images)))


def _data_of(made: Run) -> tuple[Samples, Samples]:
    """Training and held-out samples of the run that made a model."""
    noise = upstream_of(made).get("generate_noise")
    return read_samples(Run(noise[0])) if noise else read_split(made)


def _images_of(spec: str, watched: Watched) -> Samples:
    """All images of a source in the shape that the model takes; nothing reads their labels."""
    listing = list_source(spec)
    return materialise(listing, np.arange(len(listing.labels)), shape=watched.model.architecture.image_shape)


def _without(seen: np.ndarray, samples: Samples, name: str) -> Samples:
    if seen.all():
        raise BadData(f"{name}: the model was trained on every image; name others")
    if seen.any():
        logger.warning("%s: %d of %d images equal training images; they are left out", name, seen.sum(), len(samples))
    return samples.take(~seen) if seen.any() else samples
