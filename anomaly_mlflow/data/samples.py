"""Images, given labels and identity, held in memory or, where that is too small, on disk."""

from dataclasses import dataclass, field, replace

import numpy as np

from anomaly_mlflow.data.on_disk import taken
from anomaly_mlflow.errors import BadData

__all__ = ["Encoding", "Samples"]


@dataclass(frozen=True)
class Encoding:
    """How the images of a set were made, so that strangers can be put through the same.

    levels: number of distinct grey values (digits has 17), None where all 256 occur.
    jpeg_tables: quantisation tables of the JPEG files, None where the files are lossless.
    jpeg_subsampling: 0 (4:4:4), 1 (4:2:2) or 2 (4:2:0), as Pillow counts them.
    """

    levels: int | None = None
    jpeg_tables: tuple[tuple[int, ...], ...] | None = None
    jpeg_subsampling: int = 0


@dataclass(frozen=True)
class Samples:
    """A labelled image set.

    images: uint8 (n, height, width, channels), channels 1 or 3.
    labels: int64 (n,), the given labels, in 0 .. len(classes) - 1.
    sample_id: int64 (n,), unique names; rows are positions, ids are names.
    classes: class names in the order of the labels.
    name: short name of the data set, as in registered models.
    groups: int64 (n,), rows of one source photograph or duplicate image share a group and never
        stand on both sides of a fold; each row its own by default.
    Raises BadData where shapes, types or ranges do not fit.
    """

    images: np.ndarray
    labels: np.ndarray
    sample_id: np.ndarray
    classes: tuple[str, ...]
    name: str = "samples"
    groups: np.ndarray = None
    encoding: Encoding = field(default_factory=Encoding)

    def __post_init__(self) -> None:
        if self.groups is None:
            object.__setattr__(self, "groups", self.sample_id.copy())
        _check(self)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def num_classes(self) -> int:
        """Number of classes, also of those without a row."""
        return len(self.classes)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return tuple(self.images.shape[1:])

    def take(self, rows: np.ndarray) -> "Samples":
        """The samples at these positions (indices or a boolean mask)."""
        return replace(
            self,
            images=taken(self.images, rows),
            labels=self.labels[rows],
            sample_id=self.sample_id[rows],
            groups=self.groups[rows],
        )


def _check(samples: Samples) -> None:
    n = len(samples.labels)
    images = samples.images
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
        raise BadData(f"images must be uint8 (n, height, width, 1 or 3), not {images.dtype} {images.shape}")
    if not len(images) == len(samples.sample_id) == len(samples.groups) == n:
        raise BadData(f"{len(images)} images, {n} labels, {len(samples.sample_id)} ids: the numbers must agree")
    if n == 0:
        raise BadData(f"data set '{samples.name}' has no rows")
    if len(np.unique(samples.sample_id)) != n:
        raise BadData(f"data set '{samples.name}' has repeated sample ids; an `index` column must be unique")
    low, high = samples.labels.min(), samples.labels.max()
    if low < 0 or high >= samples.num_classes:
        bad = low if low < 0 else high
        known = f"{samples.num_classes} classes (0 to {samples.num_classes - 1})"
        raise BadData(f"label {bad} is out of range: '{samples.name}' has {known}")
