"""A plan beyond the labels that there are: mixes of new labels and checks, what each costs, what it is foretold."""

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.budget import AccuracyGrid
from anomaly_mlflow.cleaning.budget_advice import frontier
from anomaly_mlflow.cleaning.budget_surface import Surface, over_seeds
from anomaly_mlflow.errors import BadData

__all__ = ["best_mix", "measured", "mixes", "rates_to_measure", "sizes_to_measure"]

SIZES, RATES, STEPS = 5, 4, 5
MOST_LABELS = 4000
"""A probe of more is dear; the fitted curve goes on."""
SPREAD = 0.6
"""How far towards chance the measured rates go."""
HOPELESS = 0.8


def sizes_to_measure(labels: int, num_classes: int) -> np.ndarray:
    """Numbers of labels, int64 (5,), in equal ratios up to all of them or 4,000. Raises BadData for too few labels."""
    most = min(labels, MOST_LABELS)
    least = max(2 * num_classes, most // 16)
    if 2 * least > most:
        raise BadData(
            f"{labels} labels of {num_classes} classes are too few for a learning curve; at least {4 * num_classes} "
            "are needed in each fold: take more images or fewer validation_folds"
        )
    return np.geomspace(least, most, SIZES).round().astype(np.int64)


def rates_to_measure(rate: float, num_classes: int) -> np.ndarray:
    """Shares of wrong labels, float64 (4,), from that of the given labels on. Raises BadData near chance."""
    chance = (num_classes - 1) / num_classes
    if rate >= HOPELESS * chance:
        raise BadData(
            f"an estimated {rate:.0%} of the labels are wrong, nearly as many as by chance; no plan can be made"
        )
    return np.linspace(rate, rate + SPREAD * (chance - rate), RATES)


def mixes(
    surface: Surface, labels: int, rate: float, found: np.ndarray, *, budget: float, label_cost: float = 1.0
) -> tuple[AccuracyGrid, pd.DataFrame]:
    """Accuracy that the curves foretell of mixes of both, each up to the budget, and their `frontier`.

    labels, rate: how many there are and the share that is wrong; found: as `errors_found`; budget, label_cost: in
    checks of one label. New labels are as often wrong as those there are, and are checked as these are. The table has
    columns `added` and `checks` too; its cost is what is still to be spent.
    """
    shares = np.linspace(0, 1, STEPS)
    sizes = np.unique((labels + budget / label_cost * shares).astype(np.int64))
    checks = np.unique((min(budget, labels) * shares).astype(np.int64))
    price = {max(0.0, rate - found[k] / labels): k / labels for k in checks[::-1].tolist()}  # the fewest where equal
    rates = np.array(sorted(price))
    foretold = np.array([[surface.accuracy(size, one) for one in rates] for size in sizes])
    grid = AccuracyGrid(sizes, rates, surface.grid.classes, np.moveaxis(foretold, 2, 0), surface.grid.against)
    table = frontier(grid, lambda one: label_cost + price[one])
    table["cost"] -= labels * label_cost
    table.insert(2, "added", table["labels"] - labels)
    table.insert(3, "checks", [round(price[one.rate] * one.labels) for one in table.itertuples()])
    return grid, table


def best_mix(table: pd.DataFrame, budget: float) -> pd.Series:
    """The place of the frontier that is the most accurate within the budget; table: as `mixes`."""
    return table[table["best"] & (table["cost"] <= budget + 1e-6)].iloc[-1]


def measured(surface: Surface) -> pd.DataFrame:
    """What the probes reached: labels, rate, accuracy, low, high (95 % over seeds), and the fitted curve there."""
    grid, rows = surface.grid, []
    for i, size in enumerate(grid.sizes.tolist()):
        for j, rate in enumerate(grid.rates.tolist()):
            one, fitted = over_seeds(grid.accuracy[:, i, j]), surface.accuracy(size, rate).mean()
            rows.append((size, rate, one.value, one.low, one.high, float(fitted)))
    return pd.DataFrame(rows, columns=["labels", "rate", "accuracy", "low", "high", "fitted"])
