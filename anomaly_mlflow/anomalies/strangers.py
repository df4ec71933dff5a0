"""Images that belong to no class of the set they enter."""

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_sample_images

from anomaly_mlflow.anomalies.injector import Change, Host, generator, injector, row_uniform
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.decode import decode
from anomaly_mlflow.data.encoding import re_encode
from anomaly_mlflow.data.groups import fingerprints
from anomaly_mlflow.data.listing import SOURCES, list_source, parse
from anomaly_mlflow.data.on_disk import each
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import digest, materialise
from anomaly_mlflow.errors import BadOption, UnknownName

__all__ = ["LABEL_POLICIES", "Strangers", "out_of_distribution", "strangers", "strangers_digest"]

LABEL_POLICIES = ("random", "single", "kept")


@dataclass(frozen=True)
class Strangers:
    """Images for another set: uint8 (n, height, width, channels) in its shape and encoding.

    groups: int64 (n,), below every group of the host, one for each source photograph; source: where each image is from.
    """

    images: np.ndarray
    groups: np.ndarray
    source: list[str]


def strangers(spec: str, n: int, like: Samples, seed: int) -> Strangers:
    """n images of a data source, `noise` (uniform) or `photographs` (patches of two photographs, any scale).

    They share the host's encoding history: its channels, its size (Lanczos), its grey values, its JPEG compression.
    Raises BadOption where the source has fewer than n images or is the host itself, and what a data source raises.
    """
    rng = generator(seed, "strangers")
    if spec in MADE:
        images, groups, source = MADE[spec](n, like, rng)
    else:
        images, groups, source = _of_source(spec, n, like, rng)
    known = np.isin(fingerprints(images), fingerprints(each(like.images))).sum()
    if known > 0.01 * n:  # a few uniform images may be equal by chance
        raise BadOption(f"{known} of {n} images of '{spec}' stand in '{like.name}' itself; name another source for ood")
    codes = np.unique(groups, return_inverse=True)[1]
    below = min(0, int(like.groups.min(initial=0))) - 1
    return Strangers(re_encode(images, like.encoding), below - codes.astype(np.int64), source)


def strangers_digest(spec: str) -> str:
    """sha256, hex, of a data source; `noise` and `photographs`, which are made here, stand for themselves."""
    return spec if spec in MADE else digest(spec)


@injector(AnomalyType.OOD)
def out_of_distribution(host: Host, rows: np.ndarray) -> Change:
    """The image becomes a stranger's; the label is random (uniform over all classes), single (one for all) or kept."""
    labels = _labels(host, rows)
    found = strangers(host.strangers_spec, len(rows), host.samples, host.seed)
    return Change(labels, found.source, found.images, found.groups)


def _labels(host: Host, rows: np.ndarray) -> np.ndarray:
    classes = host.samples.num_classes
    if host.ood_label == "random":
        return (row_uniform(host, AnomalyType.OOD)[rows] * classes).astype(np.int64)
    if host.ood_label == "single":
        return np.full(len(rows), generator(host.seed, "single label").integers(classes))
    if host.ood_label == "kept":
        return host.samples.labels[rows]
    raise UnknownName("label policy", host.ood_label, LABEL_POLICIES)


def _noise(n: int, like: Samples, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[str]]:
    images = rng.integers(0, 256, (n, *like.image_shape), dtype=np.uint8)
    return images, np.arange(n), [f"noise#{number}" for number in range(n)]


def _photographs(n: int, like: Samples, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[str]]:
    bunch = load_sample_images()
    names = [str(name).replace("\\", "/").rsplit("/", 1)[-1] for name in bunch.filenames]
    which = rng.integers(len(names), size=n)
    patches = [_patch(bunch.images[number], like.image_shape, rng) for number in which]
    pictures = decode(lambda: patches, like.image_shape)
    return pictures.images, which, [f"photographs:{names[w]}#{number}" for number, w in enumerate(which)]


def _patch(photograph: np.ndarray, shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    height, width, _ = shape
    largest = min(photograph.shape[0] / height, photograph.shape[1] / width)
    scale = np.exp(rng.uniform(min(0.0, np.log(largest)), np.log(largest)))
    rows, columns = max(1, int(height * scale)), max(1, int(width * scale))
    top, left = (
        rng.integers(0, have - want + 1) for have, want in zip(photograph.shape, (rows, columns), strict=False)
    )
    return photograph[top : top + rows, left : left + columns]


def _of_source(spec: str, n: int, like: Samples, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[str]]:
    name = parse(spec).name
    if name not in SOURCES:
        raise UnknownName("source", name, (*SOURCES, *MADE))
    listing = list_source(spec)
    order = rng.permutation(len(listing.labels))
    drawn, missing = 0, n
    while missing > 0:
        drawn += missing  # images that do not decode are made up for by further ones
        if drawn > len(order):
            raise BadOption(f"ood needs {n} images, more than '{spec}' has; lower its share or name a larger source")
        found = materialise(listing, np.sort(order[:drawn]), shape=like.image_shape)
        missing = n - len(found)
    return found.images, found.groups, [f"{found.name}#{number}" for number in found.sample_id]


MADE = {"noise": _noise, "photographs": _photographs}
