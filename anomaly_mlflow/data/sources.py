"""A spec such as `digits`, `parquet:PATH?column=value`, `imagefolder:PATH` or `cifar10` -> Samples."""

import logging
from dataclasses import replace

import numpy as np

import anomaly_mlflow.data.bundled
import anomaly_mlflow.data.downloads
import anomaly_mlflow.data.imagefolder
import anomaly_mlflow.data.parquet  # noqa: F401  (the four register their sources)
from anomaly_mlflow.data.decode import SMALLEST, Pictures, Shape, decode
from anomaly_mlflow.data.groups import fingerprints, join_groups
from anomaly_mlflow.data.listing import Listing, list_source
from anomaly_mlflow.data.on_disk import each
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.split import check_class_sizes, held_out, long_tailed, stratified
from anomaly_mlflow.errors import BadData, BadOption

__all__ = ["SIZES", "digest", "load", "load_split", "materialise"]

SIZES = range(SMALLEST, 513)
"""Pixels a side that images may be brought to."""

logger = logging.getLogger("anomaly_mlflow")


def load(
    spec: str, *, subset: int | None = None, seed: int = 0, corrupt: str = "skip", image_size: int | None = None
) -> Samples:
    """The samples of a source, or a stratified part of `subset` rows; only rows of the part are decoded.

    image_size: images are brought to so many pixels a side (Lanczos), 4 to 512; by default the most common size.
    corrupt: `skip` leaves images that do not decode out and logs a warning that names them, `refuse` raises BadData.
    Raises UnknownName for the source, BadOption for subset, image_size or the spec, BadData where the files cannot be
    used.
    """
    listing = list_source(spec)
    return materialise(listing, stratified(listing.labels, subset, seed), corrupt, size=image_size)


def load_split(
    spec: str,
    *,
    test: str | None = None,
    imbalance: float = 1.0,
    subset: int | None = None,
    seed: int = 0,
    corrupt: str = "skip",
    image_size: int | None = None,
) -> tuple[Samples, Samples]:
    """Training samples, and test samples that no training step sees.

    test: spec of the test set, brought to the training images' shape; by default a stratified tenth of the whole set,
    by group, fixed by the seed whatever the subset. imbalance: largest over smallest class of what is left for
    training (`long_tailed`), 1 for all of it; subset: number of training rows, drawn from that.
    A training image that equals a test image is left out. Every class needs 10 training rows.
    Raises what load raises, and BadData for a class that is too small or a test set with other classes.
    """
    listing = list_source(spec)
    if test is None:
        listing = replace(listing, groups=_raw_groups(listing))
        held = held_out(listing.labels, listing.groups, seed)
        other, test_rows, rest = listing, np.flatnonzero(held), np.flatnonzero(~held)
    else:
        other = _same_classes(list_source(test), listing)
        test_rows, rest = np.arange(len(other.labels)), np.arange(len(listing.labels))
    if len(listing.classes) < 2:
        raise BadData(f"'{listing.name}' has a single class; a classifier needs two at least")
    check_class_sizes(listing.labels[rest], listing.classes)
    rest = rest[long_tailed(listing.labels[rest], imbalance, seed)]
    train = materialise(listing, rest[stratified(listing.labels[rest], subset, seed)], corrupt, size=image_size)
    tested = materialise(other, test_rows, corrupt, shape=train.image_shape)
    train = _without_twins(train, tested)
    check_class_sizes(train.labels, train.classes)
    return train, tested


def digest(spec: str) -> str:
    """sha256, hex, of a source: it changes when the data, or the part that the filter selects, does."""
    return list_source(spec).digest()


def materialise(
    listing: Listing, rows: np.ndarray, corrupt: str = "skip", shape: Shape | None = None, size: int | None = None
) -> Samples:
    """Decode these ascending rows of a listing; equal images share a group.

    shape: height, width, channels to bring them to; size: pixels a side. For `corrupt` and what raises see load.
    """
    if corrupt not in ("skip", "refuse"):
        raise BadOption(f"corrupt={corrupt} is unknown; choose skip or refuse")
    if size is not None and size not in SIZES:
        raise BadOption(f"image_size={size} cannot be used; choose {SIZES[0]} to {SIZES[-1]} pixels")
    pictures = decode(lambda: listing.read(rows), shape, listing.levels, size)
    _report(listing, rows, pictures, corrupt)
    rows = rows[pictures.kept]
    ids = listing.sample_id[rows]
    return Samples(
        images=pictures.images,
        labels=listing.labels[rows],
        sample_id=ids,
        classes=listing.classes,
        name=listing.name,
        groups=join_groups(ids, listing.groups[rows], fingerprints(each(pictures.images))),
        encoding=pictures.encoding,
    )


def _report(listing: Listing, rows: np.ndarray, pictures: Pictures, corrupt: str) -> None:
    if pictures.resized:
        size = "x".join(str(side) for side in pictures.images.shape[2:0:-1])
        logger.info("%s: %d of %d images resized to %s", listing.name, pictures.resized, len(rows), size)
    if not pictures.failures:
        return
    named = [f"{listing.title(rows[row])} ({why})" for row, why in list(pictures.failures.items())[:5]]
    more = ", ..." if len(pictures.failures) > len(named) else ""
    line = f"{len(pictures.failures)} of {len(rows)} images of '{listing.name}' do not decode: {', '.join(named)}{more}"
    if corrupt == "refuse":
        raise BadData(f"{line}; mend or remove them, or use corrupt=skip")
    logger.warning("%s; they are left out", line)


def _raw_groups(listing: Listing) -> np.ndarray:
    raw = fingerprints(listing.read(np.arange(len(listing.labels))))
    return join_groups(listing.sample_id, listing.groups, raw)


def _same_classes(test: Listing, train: Listing) -> Listing:
    numbered = any(all(name.isdigit() for name in names) for names in (test.classes, train.classes))
    numbered = numbered and len(test.classes) == len(train.classes)
    if set(test.classes) <= set(train.classes):
        position = np.array([train.classes.index(name) for name in test.classes])
    elif numbered:
        position = np.arange(len(test.classes))
    else:
        sets = f"the test set has classes {_some(test.classes)}, the training set {_some(train.classes)}"
        raise BadData(f"{sets}; they must agree")
    return replace(test, classes=train.classes, labels=position[test.labels])


def _some(classes: tuple[str, ...]) -> str:
    return f"{', '.join(classes[:10])}{', ...' if len(classes) > 10 else ''} ({len(classes)})"


def _without_twins(train: Samples, test: Samples) -> Samples:
    twins = np.isin(fingerprints(each(train.images)), fingerprints(each(test.images)))
    if not twins.any():
        return train
    logger.warning("%d training images of '%s' also stand in the test set; they are left out", twins.sum(), train.name)
    if twins.all():
        raise BadData(f"every training image of '{train.name}' also stands in the test set; name another test set")
    return train.take(~twins)
