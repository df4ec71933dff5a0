"""The findings in sentences: the first of each list is the result, the last what the theory gets wrong."""

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.studies.theory.rates import coincidence
from anomaly_mlflow.studies.theory.trajectories import LONGEST, Trajectories

__all__ = ["flow_words", "pair_words", "rate_words"]


def pair_words(table: pd.DataFrame, agreement: dict[str, Interval], injected: pd.DataFrame) -> list[str]:
    """T1, from `pair_table`, `pair_agreement` and `injected_pairs`."""
    seen = table["predicted"] - table["measured"]
    unseen = table["predicted_unseen"] - table["measured_unseen"]
    words = [
        f"T1: class means and covariances predict the AUROC of prototype distance over {len(table)} class pairs with rank "
        f"correlation {_ends(agreement['predicted'])} and mean absolute error {seen.abs().mean():.3f}.",
        f"Gamma in place of Gaussian distances: {_ends(agreement['predicted_gamma'])}. The distance of the two prototypes "
        f"alone, no covariance: {_ends(agreement['prototype_gap'])}. From rows that the encoder never saw: "
        f"{_ends(agreement['predicted_unseen'])}, mean absolute error {unseen.abs().mean():.3f}.",
    ]
    for kind, rows in injected.groupby("anomaly_type"):
        error = (rows["predicted"] - rows["measured"]).abs().mean()
        words.append(f"Injected {kind}: {len(rows)} pairs of 10 rows or more, mean absolute error {error:.3f}.")
    return [
        *words,
        f"What it gets wrong: moments of rows that the encoder learnt from are too tight and too far apart, so that the "
        f"prediction lies {seen.mean():+.3f} off on average; on rows it never saw the error that remains, "
        f"{unseen.mean():+.3f}, is that of the Gaussian form. Near misses carry the label of a class for a pair as a "
        "whole; which images of the pair are mistaken the theory does not know.",
    ]


def rate_words(table: pd.DataFrame) -> list[str]:
    """T2, from the rows of `rate_row`."""
    error = {name: (table[name] - table["measured"]).abs().mean() for name in _PREDICTED}
    rates = table["noise_rate"]
    words = [
        f"T2: over {len(table)} noise rates the AUROC of entropy, near misses against hard images, is predicted within "
        f"{error['predicted']:.3f} on average (posterior of the model that chose the hard images), "
        f"{error['predicted_independent']:.3f} (posterior of models that did not).",
        f"Measured from {table['measured'].iloc[0]:.3f} at rate {rates.iloc[0]:.3f} to {table['measured'].iloc[-1]:.3f} "
        f"at {rates.iloc[-1]:.3f}; predicted {table['predicted'].iloc[0]:.3f} to {table['predicted'].iloc[-1]:.3f}, "
        f"{table['predicted_independent'].iloc[0]:.3f} to {table['predicted_independent'].iloc[-1]:.3f}.",
    ]
    for name in (*_PREDICTED, "measured"):
        rate = coincidence(rates, table[name])
        where = "no rate within this range" if np.isnan(rate) else f"noise rate {rate:.3f}"
        words.append(f"The types coincide ({name.replace('_', ', ')}) at {where}.")
    return [
        *words,
        "What it gets wrong: a small model stopped early is less sure than the Bayes optimum on every image, which "
        "brings both types together; hard images are those on which one model was surely wrong, so that its own posterior "
        "is too sure of them (selection on the outcome), and the injection spares them, which a class-conditional "
        "transition does not say.",
    ]


def flow_words(table: pd.DataFrame, predicted: Trajectories) -> list[str]:
    """T3, from `type_table` and `predict_trajectories`."""
    of = {row.anomaly_type: row for row in table.itertuples()}
    whole, late = of.pop("all"), int((predicted.times >= LONGEST).sum())
    each = ", ".join(f"{kind} {_of(row, 'loss')}" for kind, row in of.items())
    ends = (
        f"In {late} of {len(predicted.times)} epochs the recorded mean loss lies below the end of the flow: the network "
        "has fitted wrong labels, which no linear model on a fixed embedding can."
        if late
        else "The flow reaches the recorded mean loss in every epoch."
    )
    return [
        f"T3: kernel gradient flow predicts the mean loss of a row over training with rank correlation {_of(whole, 'loss')} "
        f"over all rows; prototype distance, which knows no time, {_of(whole, 'static')}.",
        f"Within the types: {each}.",
        f"Order of learning (first epoch of the given label): {_of(whole, 'order')} over all rows.",
        f"What it gets wrong: the features are those of a clean encoder and stay, while the network learns its own. {ends} "
        "A row that the network memorises by itself, and luck of batches and augmentation, are outside the theory.",
    ]


_PREDICTED = ("predicted", "predicted_independent", "predicted_spared")


def _of(row: object, name: str) -> str:
    return _ends(Interval(getattr(row, name), getattr(row, f"{name}_low"), getattr(row, f"{name}_high")))


def _ends(found: Interval) -> str:
    low, high = (f"{value:.3f}" for value in (found.low, found.high))
    return f"{found.value:.3f}" if np.isnan(found.low) else f"{found.value:.3f} [{low}, {high}]"
