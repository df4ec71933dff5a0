"""The cells of the glitch study: which data, model, glitch and ratio go together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from anomaly_mlflow.anomalies.glitches import GLITCHES
from anomaly_mlflow.errors import UnknownName

__all__ = ["ABLATIONS", "PAPER", "Cell", "Data", "chosen_ablations", "chosen_glitches", "grid"]

RATIOS = (0.01, 0.05, 0.1, 0.2, 0.3)
REFERENCE_NOISE = 0.2
ABLATIONS = {
    "ratios": ("uniform", "anomalies_one_label"),
    "reference": ("uniform", "anomalies_one_label", "mixed"),
}
"""Ablation -> the glitches that it repeats: at other ratios, or with wrong labels in the reference set."""

PAPER = {
    "datasets": ("mnist", "fashion_mnist", "cifar10"),
    "models": ("resnet20", "vit", "convnext"),
    "seeds": 5,
    "ablations": ("ratios", "reference"),
}
"""The grid of Data Glitches Discovery (2025), KDD; each set at a tenth of its training images."""

ANOMALIES = {"mnist": "fashion_mnist", "fashion_mnist": "mnist", "cifar10": "fashion_mnist"}


@dataclass(frozen=True)
class Data:
    """Specs of a data set, of its test set (None: a held-out tenth) and of the set whose images are appended.

    anomalies None: that of the paper where dataset is one of its names, else photographs.
    """

    dataset: str
    test: str | None = None
    anomalies: str | None = None

    @property
    def foreign(self) -> str:
        """The spec of the set whose images are appended."""
        return self.anomalies or ANOMALIES.get(self.dataset, "photographs")


@dataclass(frozen=True)
class Cell:
    """What is trained once for each seed. ratio, reference_noise: shares, 0 to 1."""

    data: Data
    model: str
    glitch: str
    ratio: float
    reference_noise: float = 0.0


def grid(
    data: Sequence[Data], models: Sequence[str], glitches: Sequence[str], ratio: float, ablations: Sequence[str]
) -> list[Cell]:
    """Every combination once, the ablations of each data set and model after its glitches."""
    return [cell for one in data for model in models for cell in _of_model(one, model, glitches, ratio, ablations)]


def chosen_glitches(text: str) -> list[str]:
    """Names separated by commas, each once, in the order of `GLITCHES`; `all`. Raises UnknownName."""
    return _chosen("glitch", text, GLITCHES)


def chosen_ablations(text: str) -> list[str]:
    """Names separated by commas, each once; `none`, `all`. Raises UnknownName."""
    return [] if text == "none" else _chosen("ablation", text, ABLATIONS)


def _of_model(
    data: Data, model: str, glitches: Sequence[str], ratio: float, ablations: Sequence[str]
) -> Iterator[Cell]:
    yield from (Cell(data, model, glitch, ratio) for glitch in glitches)
    if "ratios" in ablations:
        for glitch in ABLATIONS["ratios"]:
            others = [other for other in RATIOS if other != ratio or glitch not in glitches]
            yield from (Cell(data, model, glitch, other) for other in others)
    if "reference" in ablations:
        yield from (Cell(data, model, glitch, ratio, REFERENCE_NOISE) for glitch in ABLATIONS["reference"])


def _chosen(kind: str, text: str, known: dict) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name != "all" and name not in known:
            raise UnknownName(kind, name, known)
    return [name for name in known if "all" in names or name in names]
