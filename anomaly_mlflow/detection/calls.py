"""From calibrated probabilities to calls: which type a row is called, and when nothing is called."""

import numpy as np
import pandas as pd

__all__ = ["abstention_threshold", "call", "call_factors", "risk_coverage"]

GRID = np.exp(np.linspace(-1.5, 1.5, 25))
ROUNDS = 3
RISK = 0.2


def call(probability: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """int64 (n,): the class of the highest factor times probability; probability: float64 (n, classes)."""
    return (probability * factors).argmax(axis=1)


def call_factors(probability: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """float64 (classes,): factors under which `call` has the highest macro-F1 on rows that the model did not see.

    codes: int64 (n,), the true class. The call of the highest macro-F1 is an argmax of weighted probabilities, where
    that of the highest accuracy is an argmax of plain ones (Narasimhan et al. 2015, Consistent multiclass algorithms
    for complex performance measures). Found class by class on a grid from 1/4.5 to 4.5, three rounds.
    """
    factors = np.ones(probability.shape[1])
    for _ in range(ROUNDS):
        for k in np.unique(codes):
            tried = factors[k] * GRID
            scores = [_macro_f1(probability, _with(factors, k, value), codes) for value in tried]
            factors[k] = tried[int(np.argmax(scores))]
    return factors


def abstention_threshold(probability: np.ndarray, called: np.ndarray, codes: np.ndarray) -> float:
    """The lowest probability at which calls of an anomaly are right in at least 80 of 100 cases; 1 where none is.

    probability: float64 (n,), of the called class; called, codes: int64 (n,), class 0 is clean. Calls less probable
    abstain. All on rows that the model did not see.
    """
    curve = risk_coverage(probability[called > 0], (called == codes)[called > 0])
    enough = curve[curve["risk"] <= RISK]
    return float(enough["threshold"].iloc[-1]) if len(enough) else 1.0


def risk_coverage(probability: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """`threshold`, `coverage` (share of calls kept), `risk` (share of the kept that are wrong), most probable first.

    probability: float64 (n,), of the call; right: bool (n,). El-Yaniv and Wiener (2010), On the foundations of
    noise-free selective classification.
    """
    order = np.argsort(-probability, kind="stable")
    kept = np.arange(1, len(order) + 1)
    frame = pd.DataFrame(
        {
            "threshold": probability[order],
            "coverage": kept / max(1, len(order)),
            "risk": np.cumsum(~right[order]) / kept,
        }
    )
    return frame.drop_duplicates("threshold", keep="last").reset_index(drop=True)


def _with(factors: np.ndarray, k: int, value: float) -> np.ndarray:
    changed = factors.copy()
    changed[k] = value
    return changed


def _macro_f1(probability: np.ndarray, factors: np.ndarray, codes: np.ndarray) -> float:
    classes = len(factors)
    table = np.bincount(codes * classes + call(probability, factors), minlength=classes**2).reshape(classes, classes)
    present = table.sum(axis=1) > 0
    f1 = 2 * np.diag(table) / np.maximum(1, table.sum(axis=0) + table.sum(axis=1))
    return float(f1[present].mean())
