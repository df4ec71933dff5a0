"""Images that belong to no class of the set they enter."""

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.datasets import load_sample_images

from anomaly_mlflow.anomalies.injector import Change, Host, generator, injector, row_uniform
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.decode import decode
from anomaly_mlflow.data.encoding import re_encode
from anomaly_mlflow.data.groups import fingerprints
from anomaly_mlflow.data.listing import SOURCES, list_source, parse
from anomaly_mlflow.data.on_disk import each, read
from anomaly_mlflow.data.patches import PATCHES, rearranged
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import digest, materialise
from anomaly_mlflow.errors import BadOption, UnknownName

__all__ = ["LABEL_POLICIES", "Strangers", "out_of_distribution", "source_of", "strangers", "strangers_digest"]

LABEL_POLICIES = ("random", "single", "kept")
Made = tuple[np.ndarray, np.ndarray, list[str]]  # images, groups, where each image is from


@dataclass(frozen=True)
class Strangers:
    """Images for another set: uint8 (n, height, width, channels) in its shape and encoding.

    groups: int64 (n,), below every group of the host, one for each source photograph; source: where each image is from.
    """

    images: np.ndarray
    groups: np.ndarray
    source: list[str]


def strangers(spec: str, rows: np.ndarray, like: Samples, seed: int) -> Strangers:
    """Images in place of these rows, from one source or, in equal parts and random order, from several (`A|B|C`).

    rows: int64 (n,), positions in `like` of the images that are replaced. A source is a data source, `noise`
    (uniform), `photographs` (patches of two photographs, any scale) or `shuffled_patches` (the replaced image, cut
    into 16 parts that change places). All share the host's encoding history: its channels, its size (Lanczos), its
    grey values, its JPEG compression.
    Raises BadOption where a source is named twice, has too few images or is the host itself, and what a data source
    raises.
    """
    specs, parts = _parts(spec, len(rows), seed)
    images = np.empty((len(rows), *like.image_shape), dtype=np.uint8)
    groups, source, below = np.empty(len(rows), np.int64), np.empty(len(rows), object), _lowest(like.groups)
    for one, part in zip(specs, parts, strict=True):
        found = _of_one(one, rows[part], like, seed if len(specs) == 1 else zlib.crc32(f"{seed} {one}".encode()))
        images[part], source[part] = found.images, found.source
        groups[part] = below + found.groups
        below = groups[part].min(initial=below)
    return Strangers(images, groups, list(source))


def strangers_digest(spec: str) -> str:
    """Digests of the data sources (sha256, hex), joined by `|`; those that are made here stand for themselves."""
    return "|".join(one if one in MADE else digest(one) for one in spec.split("|"))


def source_of(line: pd.Series) -> pd.Series:
    """Where strangers are from, by their line in the ledger: `noise#12` -> noise, `photographs:china.jpg#3` ->
    photographs."""
    return line.str.rpartition("#")[0].str.partition(":")[0]


@injector(AnomalyType.OOD)
def out_of_distribution(host: Host, rows: np.ndarray) -> Change:
    """The image becomes a stranger's; the label is random (uniform over all classes), single (one for all) or kept."""
    labels = _labels(host, rows)
    found = strangers(host.strangers_spec, rows, host.samples, host.seed)
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


def _parts(spec: str, n: int, seed: int) -> tuple[list[str], list[np.ndarray]]:
    specs = spec.split("|")
    if len(set(specs)) < len(specs):
        raise BadOption(f"ood names a source twice: '{spec}'; name each once")
    order = np.arange(n) if len(specs) == 1 else generator(seed, "sources of strangers").permutation(n)
    return specs, [np.sort(part) for part in np.array_split(order, len(specs))]


def _lowest(groups: np.ndarray) -> int:
    return min(0, int(groups.min(initial=0)))


def _of_one(spec: str, rows: np.ndarray, like: Samples, seed: int) -> Strangers:
    """Groups count down from -1."""
    rng = generator(seed, "strangers")
    if spec in MADE:
        images, groups, source = MADE[spec](rows, like, rng)
    else:
        images, groups, source = _of_source(spec, len(rows), like, rng)
    known = np.isin(fingerprints(images), fingerprints(each(like.images))).sum()
    if known > 0.01 * len(rows):  # a few uniform images may be equal by chance
        raise BadOption(
            f"{known} of {len(rows)} images of '{spec}' stand in '{like.name}' itself; name another source for ood"
        )
    codes = np.unique(groups, return_inverse=True)[1]
    return Strangers(re_encode(images, like.encoding), -1 - codes.astype(np.int64), source)


def _noise(rows: np.ndarray, like: Samples, rng: np.random.Generator) -> Made:
    n = len(rows)
    images = rng.integers(0, 256, (n, *like.image_shape), dtype=np.uint8)
    return images, np.arange(n), [f"noise#{number}" for number in range(n)]


def _shuffled_patches(rows: np.ndarray, like: Samples, rng: np.random.Generator) -> Made:
    orders = rng.permuted(np.tile(np.arange(PATCHES**2), (len(rows), 1)), axis=1)
    names = [f"shuffled_patches#{number}" for number in like.sample_id[rows]]
    return rearranged(read(like.images, rows), orders), np.arange(len(rows)), names


def _photographs(rows: np.ndarray, like: Samples, rng: np.random.Generator) -> Made:
    n = len(rows)
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


def _of_source(spec: str, n: int, like: Samples, rng: np.random.Generator) -> Made:
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


MADE = {"noise": _noise, "photographs": _photographs, "shuffled_patches": _shuffled_patches}
