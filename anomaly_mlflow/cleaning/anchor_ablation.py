"""Anchor hallucination with one setting changed at a time, each change a cleaner of its own.

What arXiv 2407.07331 leaves open and its summary asks for: the difficulty lambda_p (its range is .5 to 1; at 1 a linear
anchor is the easy row itself), how many anchors, the threshold, the balance of the easy set, and, of learned anchors,
how strongly likeness pulls against the classifier (beta; at 0 nothing holds an anchor between its two rows).
"""

from dataclasses import dataclass, replace
from functools import partial

from anomaly_mlflow.cleaning.anchor_cleaners import clean_by_anchors
from anomaly_mlflow.cleaning.anchors import AnchorSettings
from anomaly_mlflow.cleaning.base import Cleaner, find_cleaner, group

__all__ = ["ABLATIONS", "ARGMAX", "BASELINES", "GROUP", "LEARNED", "LINEAR", "Ablation"]

GROUP = "anchor_ablation"
LEARNED, LINEAR, ARGMAX = "anchors_learned", "anchors_linear", "classifier_argmax"
BASELINES = ((LEARNED, LINEAR), (LEARNED, ARGMAX), (LINEAR, ARGMAX))
"""A cleaner, and one that does without a part of it."""

CHANGES = {
    "lambda_p": (0.5, 0.8, 1.0),
    "per_easy": (2, 4, 16),
    "quantile": (0.0, 0.3, 0.8),
    "balanced": (False,),
    "beta": (0.0, 4.0),
}
"""Field of `AnchorSettings` -> the values beside its default."""

LEARNED_ALONE = {"beta"}


@dataclass(frozen=True)
class Ablation:
    """The cleaner `of` with one field of its `AnchorSettings` at another value."""

    of: str
    field: str
    value: float | bool

    @property
    def setting(self) -> str:
        """The value in words."""
        return "no" if self.value is False else f"{self.value:g}"

    @property
    def name(self) -> str:
        """OF/FIELD/VALUE: typed in lists with commas, logged as a metric."""
        return f"{self.of}/{self.field}/{self.setting}"

    def cleaner(self) -> Cleaner:
        """As the cleaner that it changes, but for the setting."""
        base = find_cleaner(self.of)
        settings = replace(AnchorSettings(learned=self.of == LEARNED), **{self.field: self.value})
        source = f"{base.source}; with {self.field} = {self.setting}"
        return replace(base, name=self.name, source=source, function=partial(clean_by_anchors, settings=settings))


_ALL = [
    Ablation(of, field, value)
    for of in (LINEAR, LEARNED)
    for field, values in CHANGES.items()
    for value in values
    if of == LEARNED or field not in LEARNED_ALONE
]

ABLATIONS: dict[str, Ablation] = {one.name: one for one in _ALL}
"""Every change by the name of its cleaner."""

group(GROUP, [*(find_cleaner(name) for name in (LEARNED, LINEAR, ARGMAX)), *(one.cleaner() for one in _ALL)])
