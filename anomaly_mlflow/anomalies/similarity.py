"""Which class is mistaken for which: near pairs, and far ones that nobody confuses."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics.pairwise import cosine_distances

from anomaly_mlflow.anomalies.confusion import Table, most_confused, rarest_confused
from anomaly_mlflow.anomalies.literature import LITERATURE, has_literature
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

__all__ = ["TABLES", "Tables", "by_name", "class_distance", "class_tables"]

TABLES = ("auto", "literature", "embedding", "human")


@dataclass(frozen=True)
class Tables:
    """Class -> the classes its label may be changed to; a class without a partner is absent. Sources: where from.

    confusion: float64 (C, C), rates at which people take one class (row) for another, where they are known.
    """

    near: Table
    far: Table
    near_source: str
    far_source: str
    confusion: np.ndarray | None = None


def class_tables(
    classes: tuple[str, ...],
    class_distance: np.ndarray | None,
    near: str = "auto",
    far: str = "auto",
    *,
    set_name: str = "",
    confusion: np.ndarray | None = None,
) -> Tables:
    """Near and far tables of a data set.

    class_distance: float (C, C), larger = less alike; needed for the table `embedding` only.
    near, far: `literature` (published pairs, where there are none set by hand), `embedding` (nearest, farthest class),
    `human` (most and least confused class), `auto` = literature where known.
    set_name: name of the data set, without which ten classes named by number are not taken for digits.
    confusion: as `confusion_rates` gives it; needed for the table `human` only.
    Raises UnknownName for another word, BadOption where no published table exists or what a table needs is missing.
    """
    near, far = (_resolve(kind, choice, classes, set_name) for kind, choice in (("near", near), ("far", far)))
    return Tables(
        near=_table(classes, "near", near, class_distance, confusion),
        far=_table(classes, "far", far, class_distance, confusion),
        near_source=near,
        far_source=far,
        confusion=confusion,
    )


def by_name(tables: Tables, classes: tuple[str, ...]) -> dict[str, dict]:
    """The tables in the names of the classes, for people: source and pairs of each, and the rates of confusions."""
    sides = {"near": (tables.near_source, tables.near), "far": (tables.far_source, tables.far)}
    named = {
        side: {
            "source": source,
            "pairs": {classes[label]: [classes[other] for other in others] for label, others in table.items()},
        }
        for side, (source, table) in sides.items()
    }
    if tables.confusion is not None:
        named["confusion"] = {
            true: {given: float(rate) for given, rate in zip(classes, row, strict=True) if rate}
            for true, row in zip(classes, tables.confusion, strict=True)
        }
    return named


def class_distance(embeddings: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Cosine distance between class means, float64 (C, C), larger = less alike.

    embeddings: float (n, d) of one encoder; labels: int64 (n,). Raises BadData for a class without rows.
    """
    counts = np.bincount(labels, minlength=num_classes)
    if (counts == 0).any():
        raise BadData(f"class {np.argmin(counts)} has no embeddings, so its distance to the others is unknown")
    means = np.stack([embeddings[labels == label].mean(axis=0, dtype=np.float64) for label in range(num_classes)])
    return cosine_distances(means)


def _resolve(kind: str, choice: str, classes: tuple[str, ...], set_name: str) -> str:
    if choice not in TABLES:
        raise UnknownName(f"{kind} table", choice, TABLES)
    if choice == "literature" and classes not in LITERATURE:
        raise BadOption(f"no published {kind} table for classes {', '.join(classes[:10])}; use embedding")
    if choice == "auto":
        return "literature" if has_literature(classes, set_name) else "embedding"
    return choice


def _table(
    classes: tuple[str, ...], kind: str, choice: str, distance: np.ndarray | None, confusion: np.ndarray | None
) -> Table:
    if choice == "literature":
        named = LITERATURE[classes][kind]
        return {classes.index(name): tuple(map(classes.index, others)) for name, others in named.items()}
    if choice == "human":
        if confusion is None:
            raise BadOption(f"the {kind} table human needs confusion=parquet:PATH#TRUE,GIVEN; name the two columns")
        return (most_confused if kind == "near" else rarest_confused)(confusion)
    return _by_distance(classes, kind, distance)


def _by_distance(classes: tuple[str, ...], kind: str, distance: np.ndarray | None) -> Table:
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
