"""The cells of the fusion study: which training is varied, and how far."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["FACTORS", "PLAIN", "Cell", "grid"]

PLAIN = {
    "modalities": "both",
    "consistent_share": 1.0,
    "metadata_noise": 0.0,
    "modality_dropout": 0.0,
    "embedding_noise": 0.0,
    "metadata_scale": 1.0,
}
"""The training that every other one differs from in a single setting: consistent pairs alone, nothing done about it."""

FACTORS = tuple(name for name in PLAIN if name != "modalities")
CONTROLS = ("image", "metadata")


@dataclass(frozen=True)
class Cell:
    """A setting of `PLAIN` and its other value; the plain training where factor is empty."""

    factor: str = ""
    value: float | str = ""

    @property
    def name(self) -> str:
        """`plain`, `image only`, `metadata only` or `factor=value`."""
        if self.factor == "modalities":
            return f"{self.value} only"
        return f"{self.factor}={self.value:g}" if self.factor else "plain"

    @property
    def level(self) -> float:
        """The value where it is a number, else NaN."""
        return self.value if isinstance(self.value, float) else math.nan

    @property
    def settings(self) -> dict[str, float | str]:
        """All settings of the training."""
        return PLAIN | ({self.factor: self.value} if self.factor else {})


def grid(levels: Mapping[str, Sequence[float]]) -> list[Cell]:
    """The plain training, each factor's other levels, and the two controls; each once."""
    cells = [Cell(name, float(level)) for name in FACTORS for level in levels[name] if level != PLAIN[name]]
    return [Cell(), *dict.fromkeys(cells), *(Cell("modalities", only) for only in CONTROLS)]
