"""Check labels that there are, or label more? Costs, the frontier, and a recommendation."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.budget import AccuracyGrid
from anomaly_mlflow.cleaning.budget_surface import Surface, over_seeds
from anomaly_mlflow.detection.statistics import Interval, exceeds
from anomaly_mlflow.errors import BadOption

__all__ = ["Advice", "advise", "frontier"]


@dataclass(frozen=True)
class Advice:
    """What to do with a budget.

    choice: `relabel`, `label_more` or `undecided`; sentence: the same for people, with figures.
    more, relabelled: gain in accuracy of spending all on either; difference: relabelled less more; over seeds.
    extrapolated: whether one of the places lies beyond what was measured.
    """

    choice: str
    sentence: str
    more: Interval
    relabelled: Interval
    difference: Interval
    extrapolated: bool


def frontier(grid: AccuracyGrid, cost: Callable[[float], float]) -> pd.DataFrame:
    """Every place of the grid, cheapest first: labels, rate, cost, accuracy, low, high (95 % over seeds), best, regime.

    cost: error rate -> price of a label of that quality. best: on the Pareto frontier, nothing as cheap is more
    accurate; regime: what the next better place of the frontier has more of, `quantity`, `quality` or `mixed` for both;
    "" at its end and off it.
    """
    rows = []
    for i, size in enumerate(grid.sizes.tolist()):
        for j, rate in enumerate(grid.rates.tolist()):
            found = over_seeds(grid.accuracy[:, i, j])
            rows.append((size, rate, size * cost(rate), found.value, found.low, found.high))
    table = pd.DataFrame(rows, columns=["labels", "rate", "cost", "accuracy", "low", "high"])
    table = table.sort_values(["cost", "accuracy"], ascending=[True, False], kind="stable", ignore_index=True)
    before = table["accuracy"].cummax().shift(fill_value=-np.inf)
    table["best"] = table["accuracy"] > before
    table["regime"] = ""
    for here, following in pairwise(table.index[table["best"]]):
        table.loc[here, "regime"] = _regime(table.loc[here], table.loc[following])
    return table


def advise(
    surface: Surface,
    *,
    labels: int,
    rate: float,
    budget: float,
    label_cost: float = 1.0,
    check_cost: float = 1.0,
    hit_rate: float | None = None,
) -> Advice:
    """Spend a budget on new labels, as often wrong as those there are, or on checks that set wrong ones right.

    labels, rate: how many there are and the share that is wrong; hit_rate: share of the checked rows whose label is
    wrong, `rate` where they are drawn at random, the precision of the ranking where the most suspicious come first.
    Raises BadOption for a budget, a cost or a rate that makes no sense.
    """
    hit_rate = rate if hit_rate is None else hit_rate
    if min(labels, budget, label_cost, check_cost) <= 0 or not 0 <= rate < 1 or not 0 <= hit_rate <= 1:
        raise BadOption("budget, costs and number of labels must be above 0, rates within 0 and 1")
    added = int(budget / label_cost)
    checks = min(labels, int(budget / check_cost))
    left = max(0.0, rate - checks * hit_rate / labels)
    now = surface.accuracy(labels, rate)
    more, relabelled = surface.accuracy(labels + added, rate), surface.accuracy(labels, left)
    difference = over_seeds(relabelled - more)
    places = ((labels, rate), (labels + added, rate), (labels, left))
    advice = Advice(
        {True: "relabel", False: "label_more", None: "undecided"}[exceeds(difference, 0.0, strict=True)],
        "",
        over_seeds(more - now),
        over_seeds(relabelled - now),
        difference,
        not all(surface.measured(*place) for place in places),
    )
    facts = {"labels": labels, "rate": rate, "added": added, "checks": checks, "left": left, "budget": budget}
    return Advice(**{**vars(advice), "sentence": _sentence(advice, facts, len(now), surface.grid.against)})


def _regime(here: pd.Series, following: pd.Series) -> str:
    quantity, quality = following["labels"] > here["labels"], following["rate"] < here["rate"]
    return "mixed" if quantity and quality else "quantity" if quantity else "quality"


def _sentence(advice: Advice, facts: dict, seeds: int, against: str) -> str:
    words = {"relabel": "Check labels", "label_more": "Label more", "undecided": "Undecided"}[advice.choice]
    beyond = "; beyond the measured grid, from fitted learning curves" if advice.extrapolated else ""
    return (
        f"{words}: with {facts['labels']:,} labels, {facts['rate']:.1%} of them wrong, a budget of {facts['budget']:g} "
        f"buys {facts['added']:,} more labels (accuracy {_signed(advice.more)}) or checks of {facts['checks']:,} that "
        f"leave {facts['left']:.1%} wrong ({_signed(advice.relabelled)}); checking less labelling "
        f"{_signed(advice.difference)}, 95 % over {seeds} seeds{beyond}. Accuracy is that of a linear probe against "
        f"{against}."
    )


def _signed(ends: Interval) -> str:
    return f"{ends.value:+.4f} [{ends.low:+.4f}, {ends.high:+.4f}]"
