"""In which way a doubted label is likely wrong, by a plain rule."""

import numpy as np

from anomaly_mlflow.signals.suggestion import of_given_label, others_only

__all__ = ["FAR", "NEAR_MISS", "OOD_LIKE", "error_types"]

NEAR_MISS, FAR, OOD_LIKE = "near_miss", "far", "ood_like"


def error_types(
    given: np.ndarray, suggested: np.ndarray, doubted: np.ndarray, probabilities: np.ndarray | None
) -> np.ndarray:
    """object (n,): near_miss, far, ood_like, or empty: not doubted, or nothing to say.

    given, suggested: int64 (n,); doubted: bool (n,); probabilities: float (n, classes), of models that never saw the
    row; None: empty throughout. near_miss: apart from the suggested label none is likelier than the given one; far:
    some other is (a gross error or a random flip: this rule does not tell them apart); ood_like: no class has half of
    the probability, and the suggested one is not even the likeliest. A rule of this project, not a fitted classifier.
    """
    if probabilities is None:
        return np.full(len(given), "", object)
    changed = suggested != given
    likeliest, highest = probabilities.argmax(axis=1), probabilities.max(axis=1)
    runner_up = others_only(probabilities, suggested).max(axis=1) <= of_given_label(probabilities, given)
    strange = (highest < 0.5) & (~changed | (likeliest != suggested))
    marks = [~doubted, strange, ~changed, runner_up]
    return np.select(marks, ["", OOD_LIKE, "", NEAR_MISS], FAR).astype(object)
