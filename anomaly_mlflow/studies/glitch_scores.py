"""From the traces of a training to the scores that are compared, with the seconds that each part took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from anomaly_mlflow.signals.influence_scores import (
    InfluenceSettings,
    characterise,
    combined,
    counterfactuals,
    influences,
)
from anomaly_mlflow.signals.traces import Traces

__all__ = ["COUNTERFACTUAL", "GlitchScores", "Stopwatch", "glitch_scores", "scores_frame", "scores_of"]

COUNTERFACTUAL = ("cnci", "pcid", "cfrank")
"""What the label of the counterfactual step enters; with `match_scale` they are named NAME_matched."""

LEAST = 1e-30


class Stopwatch:
    """Seconds by the name of a part, added up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time spent within it."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@dataclass(frozen=True)
class GlitchScores:
    """by_name: signal -> float64 (n,), higher = more suspicious; repair_label: int64 (n,), what CNCI would put in place
    of the given label; called_mislabelled: bool (n,), how a flagged row is characterised."""

    by_name: dict[str, np.ndarray]
    repair_label: np.ndarray
    called_mislabelled: np.ndarray


def glitch_scores(traces: Traces, watch: Stopwatch, settings: InfluenceSettings) -> GlitchScores:
    """All influence scores, those of the counterfactual step also on matched checkpoints, and the final loss.

    Timed are the parts of the published scores: influence, counterfactual, signals.
    """
    how = vars(settings)
    with watch.part("influence"):
        found = influences(traces, **how)
    with watch.part("counterfactual"):
        other = counterfactuals(traces, found, **how)
    with watch.part("signals"):
        scores = combined(traces, found, other)
        called = characterise(scores)
    matched = combined(traces, found, counterfactuals(traces, found, match_scale=True, **how))
    by_name = {field.name: getattr(scores, field.name) for field in fields(scores)}
    repair_label = by_name.pop("repair_label")
    by_name |= {f"{name}_matched": getattr(matched, name) for name in COUNTERFACTUAL}
    return GlitchScores(by_name | {"final_loss": _final_loss(traces)}, repair_label, called)


def scores_frame(found: GlitchScores, sample_id: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """A row for each sample: sample_id, given_label, a column a signal, repair_label, called_mislabelled."""
    frame = pd.DataFrame({"sample_id": sample_id, "given_label": labels, **found.by_name})
    return frame.assign(repair_label=found.repair_label, called_mislabelled=found.called_mislabelled)


def scores_of(frame: pd.DataFrame) -> GlitchScores:
    """The scores of such a frame."""
    by_name = frame.drop(columns=["sample_id", "given_label", "repair_label", "called_mislabelled"])
    found = {name: values.to_numpy() for name, values in by_name.items()}
    return GlitchScores(found, frame["repair_label"].to_numpy(), frame["called_mislabelled"].to_numpy())


def _final_loss(traces: Traces) -> np.ndarray:
    """Cross-entropy of the given label in the last saved state, nats."""
    probability = traces.checkpoints[-1].probabilities[np.arange(len(traces.labels)), traces.labels]
    return -np.log(np.maximum(probability.astype(np.float64), LEAST))
