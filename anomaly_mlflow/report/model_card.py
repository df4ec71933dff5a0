"""The card of a detector: what it was made from, what it reaches, where it ends (Mitchell et al. 2019)."""

from collections.abc import Mapping

import numpy as np

from anomaly_mlflow.anomalies.tasks import TASKS
from anomaly_mlflow.detection.champion import MEASURES, Outcome
from anomaly_mlflow.detection.search_space import Candidate
from anomaly_mlflow.detection.statistics import Interval

__all__ = ["model_card"]


def model_card(title: str, task: str, chosen: Candidate, outcome: Outcome, facts: Mapping[str, object]) -> str:
    """Markdown. facts: name -> value of what it was made from (data, rows, seeds, trials, versions)."""
    sides = TASKS[task]
    positives, negatives = (" or ".join(side).replace("_", " ") for side in (sides.positives, sides.negatives))
    parameters = ", ".join(f"{name} = {value:.4g}" for name, value in chosen.parameters.items()) or "none"
    improves = outcome.verdict if outcome.verdict != "undecided" else "neither surely improves nor surely does not"
    lines = [
        f"# {title}",
        "",
        f"Gives each sample a probability of being {positives}, against {negatives}; higher = more suspicious.",
        f"It flags what has probability {chosen.threshold:.3f} or more.",
        "",
        "## Detector",
        f"- {chosen.detector.replace('_', ' ')}; parameters: {parameters}",
        f"- signal families: {', '.join(chosen.families)}",
        "",
        "## Made from",
        *(f"- {name}: {_verbatim(value)}" for name, value in facts.items()),
        "",
        "## Measured",
        "On a quarter of the rows that neither the search nor the fit saw, no source group on both sides; mean over"
        " seeds of the noisy model, 95 % interval over seeds and source groups.",
        "",
        "| measure | this detector | default (logistic regression, all signals) | difference, paired |",
        "| --- | --- | --- | --- |",
        *(_row(name, outcome) for name in MEASURES),
        "",
        f"In F1 it {improves} over the default detector.",
        "",
        "## Limits",
        "- The anomalies were injected, at shares that the user chose: with other shares, models or data the threshold"
        " has to be chosen anew, and probabilities are those of the shares above.",
        "- It reads signals of a model trained with the settings above; signals of other trainings shift.",
        "- The champion among several versions was chosen by the untouched rows: its figure is then a little too high.",
        "- Signals of the clean side need images known to be clean; what a real cleaning has, differs.",
        "",
        "## Licence",
        "Apache-2.0 for the detector; the data keep their own.",
        "",
    ]
    return "\n".join(lines)


def _verbatim(value: object) -> str:
    """As code: a path or a class name is no Markdown."""
    return f"`{' '.join(str(value).split()).replace('`', chr(39))}`"


def _row(name: str, outcome: Outcome) -> str:
    cells = (outcome.best[name], outcome.default[name], outcome.difference[name])
    return f"| {name.replace('_', ' ')} | {' | '.join(map(_cell, cells))} |"


def _cell(ends: Interval) -> str:
    if np.isnan(ends.low):
        return f"{ends.value:.3f} (too few sources for an interval)"
    return f"{ends.value:.3f} [{ends.low:.3f}, {ends.high:.3f}]"
