"""Which class is mistaken for which: near pairs, and far ones that nobody confuses."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics.pairwise import cosine_distances

from anomaly_mlflow.data.names import CIFAR10
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

__all__ = ["LITERATURE", "Tables", "class_distance", "class_tables"]

Table = dict[int, tuple[int, ...]]

# near: the five asymmetric pairs of Patrini et al. (2017); far: the rarest confusions of the human votes in CIFAR-10H
# (Peterson et al. 2019) and CIFAR-10N worse (Wei et al. 2022), so that "far" is not read off the model under study.
LITERATURE: dict[tuple[str, ...], dict[str, dict[str, tuple[str, ...]]]] = {
    CIFAR10: {
        "near": {
            "truck": ("automobile",),
            "bird": ("airplane",),
            "deer": ("horse",),
            "cat": ("dog",),
            "dog": ("cat",),
        },
        "far": {
            "automobile": ("horse",),
            "frog": ("automobile", "airplane", "truck"),
            "truck": ("deer", "frog"),
            "dog": ("airplane", "ship", "automobile"),
            "horse": ("truck",),
            "deer": ("truck",),
        },
    },
}


@dataclass(frozen=True)
class Tables:
    """Class -> the classes its label may be changed to; a class without a partner is absent. Sources: where from."""

    near: Table
    far: Table
    near_source: str
    far_source: str


def class_tables(
    classes: tuple[str, ...], class_distance: np.ndarray | None, near: str = "auto", far: str = "auto"
) -> Tables:
    """Near and far tables of a data set.

    class_distance: float (C, C), larger = less alike; needed for the table `embedding` only.
    near, far: `literature` (published pairs), `embedding` (nearest, farthest class), `auto` = literature where known.
    Raises UnknownName for another word, BadOption where no published table exists or the distances are missing.
    """
    near, far = (_resolve(kind, choice, classes) for kind, choice in (("near", near), ("far", far)))
    return Tables(
        near=_table(classes, "near", near, class_distance),
        far=_table(classes, "far", far, class_distance),
        near_source=near,
        far_source=far,
    )


def class_distance(embeddings: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Cosine distance between class means, float64 (C, C), larger = less alike.

    embeddings: float (n, d) of one encoder; labels: int64 (n,). Raises BadData for a class without rows.
    """
    counts = np.bincount(labels, minlength=num_classes)
    if (counts == 0).any():
        raise BadData(f"class {np.argmin(counts)} has no embeddings, so its distance to the others is unknown")
    means = np.stack([embeddings[labels == label].mean(axis=0, dtype=np.float64) for label in range(num_classes)])
    return cosine_distances(means)


def _resolve(kind: str, choice: str, classes: tuple[str, ...]) -> str:
    if choice not in ("auto", "embedding", "literature"):
        raise UnknownName(f"{kind} table", choice, ("auto", "embedding", "literature"))
    if choice == "literature" and classes not in LITERATURE:
        raise BadOption(f"no published {kind} table for classes {', '.join(classes[:10])}; use embedding")
    if choice == "auto":
        return "literature" if classes in LITERATURE else "embedding"
    return choice


def _table(classes: tuple[str, ...], kind: str, choice: str, distance: np.ndarray | None) -> Table:
    if choice == "literature":
        named = LITERATURE[classes][kind]
        return {classes.index(name): tuple(map(classes.index, others)) for name, others in named.items()}
    if len(classes) < 2:
        raise BadOption(f"a {kind} table needs at least two classes, and there is {len(classes)}")
    if distance is None or distance.shape != (len(classes), len(classes)):
        raise BadOption(
            f"the {kind} table by embedding needs distances between {len(classes)} classes; run the baseline"
        )
    if not np.isfinite(distance).all():
        raise BadData("the distances between classes are not finite; the encoder's embeddings cannot be used")
    off = distance.astype(np.float64)
    np.fill_diagonal(off, np.inf if kind == "near" else -np.inf)
    partner = off.argmin(axis=1) if kind == "near" else off.argmax(axis=1)
    return {label: (int(other),) for label, other in enumerate(partner)}
