"""What planted probes tell of a set's own errors: how many there are, how probable each is, how many are found."""

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import IsotonicRegression

from anomaly_mlflow.detection.calibration import reliability
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.signals.confident_counts import counted_joint

__all__ = [
    "Prior",
    "error_probability",
    "error_ratio",
    "estimate_prior",
    "expected_calibration_error",
    "joint_share",
    "probe_share",
    "recall_at",
    "threshold_at",
    "unsmoothed",
]

RECALLS = np.linspace(0.3, 0.8, 51)
LEAST = 1e-6


@dataclass(frozen=True)
class Prior:
    """Estimated share of wrong labels, with its interval, and the two estimates of which it is the lower."""

    share: Interval
    by_probes: float
    by_joint: float


def error_ratio(suspicion: np.ndarray, probe: np.ndarray, untouched: np.ndarray) -> np.ndarray:
    """Density of errors over that of untouched rows at each untouched row's score, float64 (m,), rising with it.

    suspicion: float (n,), higher = more suspicious; probe, untouched: bool (n,). Isotonic regression of "is a probe",
    both sides of equal weight (the density ratio by probabilistic classification: Sugiyama, Suzuki and Kanamori 2012,
    Density Ratio Estimation in Machine Learning, chapter 4).
    """
    used = probe | untouched
    weight = np.where(probe, 1 / probe.sum(), 1 / untouched.sum())[used]
    model = IsotonicRegression(out_of_bounds="clip").fit(suspicion[used], probe[used].astype(float), weight)
    share = np.minimum(model.predict(suspicion[untouched]), 1 - LEAST)
    return share / (1 - share)


def error_probability(ratio: np.ndarray, prior: float) -> np.ndarray:
    """Bayes' rule, P(error | score) = prior * ratio, at most 1; float64 (m,)."""
    return np.minimum(prior * ratio, 1.0)


def estimate_prior(
    likeness: np.ndarray,
    probe: np.ndarray,
    untouched: np.ndarray,
    probabilities: np.ndarray,
    labels: np.ndarray,
    *,
    draws: int = 200,
    seed: int = 0,
) -> Prior:
    """Share of wrong labels among the untouched rows: the lower of two estimates, each of which tends to be too high.

    likeness: float (n,), higher = more like a probe (`likeness.probe_likeness`). `probe_share` takes right rows that
    look like probes for errors, `joint_share` the models' own mistakes. The interval resamples untouched rows and
    probes; it holds what the draw of the rows adds and not what both estimates miss: probes that are easier to find
    than people's errors make it too low.
    """
    rows, probes = np.flatnonzero(untouched), np.flatnonzero(probe)
    rng = np.random.default_rng(seed)

    def both(rows: np.ndarray, probes: np.ndarray) -> tuple[float, float]:
        return probe_share(likeness[probes], likeness[rows]), joint_share(probabilities[rows], labels[rows])

    by_probes, by_joint = both(rows, probes)
    drawn = [min(both(rng.choice(rows, len(rows)), rng.choice(probes, len(probes)))) for _ in range(draws)]
    return Prior(
        Interval(min(by_probes, by_joint), *map(float, np.quantile(drawn, [0.025, 0.975]))), by_probes, by_joint
    )


def unsmoothed(probabilities: np.ndarray, smoothing: float) -> np.ndarray:
    """Probabilities (n, C) of a model that learnt from smoothed labels, with the even share taken out again."""
    p = np.maximum(probabilities - smoothing / probabilities.shape[1], LEAST)
    return p / p.sum(axis=1, keepdims=True)


def probe_share(of_probes: np.ndarray, of_untouched: np.ndarray) -> float:
    """Least share of untouched rows above a score by the share of probes above it, probe recall from .3 to .8.

    An upper bound of the share of errors that look like the probes (Blanchard, Lee and Scott 2010, JMLR 11).
    """
    scores = np.quantile(of_probes, 1 - RECALLS)
    above = 1 - np.searchsorted(np.sort(of_untouched), scores) / len(of_untouched)
    return float(min(1.0, (above / RECALLS).min()))


def joint_share(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mass off the diagonal of the calibrated confident joint (Northcutt, Jiang and Chuang 2021, JAIR 70, eq. 1, 2).

    probabilities: float (n, C), out of fold; labels: int64 (n,), as given.
    """
    joint = counted_joint(probabilities, labels).astype(float)
    count = np.bincount(labels, minlength=len(joint))
    joint *= (count / joint.sum(axis=1))[:, None]
    return float(1 - np.trace(joint) / joint.sum())


def threshold_at(suspicion: np.ndarray, probability: np.ndarray, rate: float) -> float:
    """The score above which lies this share of the rows that are right, each counted as 1 - P(error)."""
    order = np.argsort(-suspicion)
    right = np.cumsum((1 - probability)[order])
    return float(suspicion[order][np.searchsorted(right, rate * right[-1])])


def recall_at(of_errors: np.ndarray, threshold: float) -> float:
    """Share of errors above the score."""
    return float((of_errors > threshold).mean())


def expected_calibration_error(probability: np.ndarray, wrong: np.ndarray) -> float:
    """Mean over rows of |mean probability - share wrong| of their bin, 15 of equal mass (Naeini et al. 2015, AAAI)."""
    bins = reliability(probability, wrong)
    return float(np.average(np.abs(bins["probability"] - bins["right"]), weights=bins["n"]))
