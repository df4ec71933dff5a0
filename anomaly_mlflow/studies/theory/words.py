"""The findings in sentences: the first of each list is the result, the last what the theory gets wrong."""

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.studies.theory.rates import coincidence
from anomaly_mlflow.studies.theory.trajectories import LONGEST, Trajectories

__all__ = ["flow_words", "pair_words", "rate_words"]

PREDICTED = {
    "predicted": "posterior of the model that chose the hard images",
    "predicted_independent": "posterior of models that did not choose them",
    "predicted_spared": "the first, hard images known and spared by the noise",
}


def pair_words(table: pd.DataFrame, agreement: dict[str, Interval], injected: pd.DataFrame) -> list[str]:
    """T1, from `pair_table`, `pair_agreement` and `injected_pairs`."""
    seen = table["predicted"] - table["measured"]
    unseen = table["predicted_unseen"] - table["measured_unseen"]
    words = [
        f"T1: class means and covariances predict the AUROC of prototype distance over {len(table)} class pairs with "
        f"rank correlation {_ends(agreement['predicted'])} and mean absolute error {seen.abs().mean():.3f}.",
        f"Gamma in place of Gaussian distances: {_ends(agreement['predicted_gamma'])}. Distance of the two prototypes "
        f"alone, no covariance: {_ends(agreement['prototype_gap'])}. Means and covariances of rows that the encoder "
        f"never saw: {_ends(agreement['predicted_unseen'])}, mean absolute error {unseen.abs().mean():.3f}.",
    ]
    for kind, rows in injected.groupby("anomaly_type"):
        error = (rows["predicted"] - rows["measured"]).abs().mean()
        words.append(f"Injected {kind}: {len(rows)} pairs of 10 rows or more, mean absolute error {error:.3f}.")
    return [
        *words,
        f"What it gets wrong: it lies {seen.mean():+.3f} off on average with moments of rows the encoder learnt "
        f"from and {unseen.mean():+.3f} with rows it never saw. The difference is what an encoder remembers of its own "
        "rows; what is left is the Gaussian form and the draw of the rows.",
    ]


def rate_words(table: pd.DataFrame) -> list[str]:
    """T2, from the rows of `rate_row`."""
    first, last, rates = table.iloc[0], table.iloc[-1], table["noise_rate"]
    error = {name: (table[name] - table["measured"]).abs().mean() for name in PREDICTED}
    words = [
        f"T2: over {len(table)} noise rates the AUROC of entropy, near misses against hard images, is predicted within "
        f"{error['predicted']:.3f} on average ({PREDICTED['predicted']}) or {error['predicted_independent']:.3f} "
        f"({PREDICTED['predicted_independent']}).",
    ]
    for name, meaning in {"measured": "entropy of the trained models", **PREDICTED}.items():
        rate = coincidence(rates, table[name])
        where = "nowhere in this range" if np.isnan(rate) else f"at noise rate {rate:.3f}"
        words.append(
            f"{name.replace('_', ', ').capitalize()} ({meaning}): {first[name]:.3f} at rate {rates.iloc[0]:.3f} to "
            f"{last[name]:.3f} at {rates.iloc[-1]:.3f}; the types coincide {where}."
        )
    return [
        *words,
        f"What it gets wrong: the trained model is not the optimum; its mean entropy on these images is "
        f"{table['entropy_measured'].mean():.2f} nats, the optimum's {table['entropy_predicted'].mean():.2f}. Hard "
        "images are those that one model got surely wrong, so that its own posterior is too sure of them (selection "
        "on the outcome), and the injection spares them, which one transition for all images does not say.",
    ]


def flow_words(table: pd.DataFrame, predicted: Trajectories) -> list[str]:
    """T3, from `type_table` and `predict_trajectories`."""
    of = {row.anomaly_type: row for row in table.itertuples()}
    whole, late = of.pop("all"), int((predicted.times >= LONGEST).sum())
    each = ", ".join(f"{kind.replace('_', ' ')} {_of(row, 'loss')}" for kind, row in of.items())
    ends = (
        f"In {late} of {len(predicted.times)} epochs the recorded mean loss lies below the end of the flow: the "
        "network fits its labels better than any linear model on this embedding."
        if late
        else "The flow reaches the recorded mean loss in every epoch."
    )
    return [
        "T3: kernel gradient flow predicts the mean loss of a row over training with rank correlation "
        f"{_of(whole, 'loss')} over all rows; prototype distance, which knows no time, {_of(whole, 'static')}"
        + ("." if np.isnan(whole.between_seeds) else f"; another seed, {whole.between_seeds:.3f}."),
        f"Within the types: {each}.",
        f"Order of learning (first epoch of the given label): {_of(whole, 'order')} over all rows.",
        "What it gets wrong: the features are those of a clean encoder and stay as they are, while the network learns "
        f"its own. {ends} What lies between the prediction and another seed is not luck, and the theory lacks it.",
    ]


def _of(row: object, name: str) -> str:
    return _ends(Interval(getattr(row, name), getattr(row, f"{name}_low"), getattr(row, f"{name}_high")))


def _ends(found: Interval) -> str:
    text = f"{found.value:.3f}"
    return text if np.isnan(found.low) else f"{text} [{found.low:.3f}, {found.high:.3f}]"
