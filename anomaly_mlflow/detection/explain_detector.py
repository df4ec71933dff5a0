"""Which signals move a detector that was fitted elsewhere: SHAP values of its log-odds, whatever the estimator."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin

from anomaly_mlflow.detection.table import ID, matrix

__all__ = ["explain_detector"]

ROWS, BACKGROUND, LEAST = 200, 30, 1e-6


def explain_detector(
    model: ClassifierMixin, columns: Sequence[str], tables: Sequence[pd.DataFrame], *, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`signal`, `strength` (mean |SHAP|, strongest first); and all values: `seed`, `sample_id`, a column a signal.

    model: predict_proba of two classes, the second one positive; tables: as `join` gives them, one per seed of the
    noisy model. Of each, 200 rows drawn at random against 30 others as background, by antithetic permutations
    (Strumbelj and Kononenko 2014; exact in the sum), in log-odds. The detector may have been fitted on these rows: this
    tells how it decides, not how well. Raises BadData where a column is missing.
    """
    with warnings.catch_warnings():  # shap recolours a matplotlib map in a deprecated way while it is imported
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        from shap import PermutationExplainer
        from shap.maskers import Independent

    def log_odds(X: np.ndarray) -> np.ndarray:
        p = np.clip(model.predict_proba(X)[:, 1], LEAST, 1 - LEAST)
        return np.log(p) - np.log1p(-p)

    frames = []
    for number, table in enumerate(tables):
        X = matrix(table, (), columns)[1]
        order = np.random.default_rng(seed + number).permutation(len(X))
        background, rows = order[:BACKGROUND], order[BACKGROUND : BACKGROUND + ROWS]
        explainer = PermutationExplainer(log_odds, Independent(X[background], max_samples=BACKGROUND), seed=seed)
        values = explainer(X[rows], max_evals=2 * len(columns) + 1, silent=True).values
        frame = pd.DataFrame(values, columns=list(columns))
        frame.insert(0, ID, table[ID].to_numpy()[rows])
        frame.insert(0, "seed", number)
        frames.append(frame)
    values = pd.concat(frames, ignore_index=True)
    strength = values[list(columns)].abs().mean().sort_values(ascending=False, kind="stable")
    return strength.rename_axis("signal").rename("strength").reset_index(), values
