"""What cleaners say of one noisy set against the truth: selection and repair, with bootstrap draws of every figure."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.base import Cleaned
from anomaly_mlflow.detection.measures import Measure, auroc_of, average_precision_of, mean_of, rates_of, together
from anomaly_mlflow.detection.shared_draws import resampled
from anomaly_mlflow.studies.resampled import Resampled

__all__ = ["MEASURES", "WITH", "measure_cleaners"]

WITH = "repair_accuracy_with_"
"""Before the name of another cleaner: on the labels that both change. On its own labels, few easy ones look good."""

MEASURES = {
    "auroc": "AUROC of 1 - trust, wrong labels against right ones",
    "average_precision": "average precision of 1 - trust",
    "f1": "F1 of what is not kept",
    "precision": "share of what is not kept that is wrong",
    "recall": "share of the wrong labels that are not kept",
    "dropped": "share of the labels that are not kept",
    "repair_accuracy": "share of the changed labels that are right afterwards",
    f"{WITH}OTHER": "share of the labels that this cleaner and OTHER both change that are right by this one",
    "coverage": "share of the wrong labels that are changed",
    "mended": "share of the wrong labels that are right afterwards",
    "broken": "share of the right labels that are changed",
    "changed": "share of the labels that are changed",
}


def measure_cleaners(
    cleaned: Mapping[str, Cleaned],
    repairing: Mapping[str, bool],
    given: np.ndarray,
    true_label: np.ndarray,
    groups: np.ndarray,
    *,
    pairs: Collection[tuple[str, str]] = (),
    draws: int = 2000,
    own_seed: int = 0,
) -> Resampled:
    """All `MEASURES` that apply, as `cleaner.measure`; those of repair only where the cleaner proposes labels.

    cleaned: by name; repairing: whether it proposes labels; pairs: those that are set beside each other on the labels
    that both change, where both are among the cleaned; given, true_label: int64 (n,), -1 for images of no class;
    groups: int64 (n,), rows of one source. Rows are drawn by group within right and wrong labels, apart from those of
    other seeds (`own_seed`): an image that several seeds share counts as several. Without wrong labels there is nothing
    to find: then only the shares that are dropped, changed and broken.
    """
    wrong, names, measures = given != true_label, [], []
    for name, one in cleaned.items():
        parts = _parts(one, given, true_label, repairs=repairing[name])
        names += [f"{name}.{measure}" for measure in parts]
        measures += parts.values()
    for pair in (one for one in pairs if set(one) <= set(cleaned) and wrong.any()):
        both = np.logical_and.reduce([cleaned[name].labels != given for name in pair])
        for name, other in (pair, pair[::-1]):
            names.append(f"{name}.{WITH}{other}")
            measures.append(mean_of(cleaned[name].labels == true_label, both))
    whole = together(*measures)
    values = whole(np.ones((1, len(given)))).ravel()
    shared = np.zeros(len(given), bool)
    drawn = resampled(whole, wrong.astype(np.int64), groups, shared, draws=draws, own_seed=own_seed)
    return Resampled(pd.Series(values, names), pd.DataFrame(drawn, columns=names))


def _parts(one: Cleaned, given: np.ndarray, true_label: np.ndarray, *, repairs: bool) -> dict[str, Measure]:
    wrong, changed, right = given != true_label, one.labels != given, one.labels == true_label
    parts = _selection(one, wrong) if wrong.any() and not wrong.all() else {}
    parts["dropped"] = mean_of(~one.kept)
    if repairs and wrong.any():
        parts |= {"repair_accuracy": mean_of(right, changed), "coverage": mean_of(changed, wrong)}
        parts |= {"mended": mean_of(right, wrong)}
    if repairs:
        parts |= {"broken": mean_of(changed, ~wrong), "changed": mean_of(changed)}
    return parts


def _selection(one: Cleaned, wrong: np.ndarray) -> dict[str, Measure]:
    one_fold, rates = np.zeros(len(wrong), np.int64), rates_of(~one.kept, wrong)
    return {
        "auroc": auroc_of(-one.trust, wrong, one_fold),  # 1 - trust would round small ones to ties
        "average_precision": average_precision_of(-one.trust, wrong, one_fold),
        **{name: _one_of(rates, place) for place, name in enumerate(("precision", "recall", "f1"))},
    }


def _one_of(rates: Measure, which: int) -> Measure:
    return lambda weights: rates(weights)[:, :, which]
