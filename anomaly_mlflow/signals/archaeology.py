"""Which of the planted probes a sample resembles (Siddiqui et al. 2022: metadata archaeology)."""

from collections.abc import Sequence

import numpy as np

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.neighbours import nearest
from anomaly_mlflow.training.probes import SUITES, ProbeRun

__all__ = ["suite_shares"]

NEIGHBOURS = 20


def suite_shares(runs: Sequence[ProbeRun]) -> np.ndarray:
    """Share of each suite among a row's 20 nearest probes, float64 (n, suites); rows sum to 1.

    Distances are Euclidean between losses over the epochs. Mean over the runs in which the row is itself no probe.
    Fewer than 20 probes: all of them. Raises BadData where a row is a probe in every run, or a run has no probe.
    """
    total, count = np.zeros((runs[0].loss.shape[1], len(SUITES))), np.zeros((runs[0].loss.shape[1], 1))
    for run in runs:
        free, probes = np.flatnonzero(run.suite < 0), np.flatnonzero(run.suite >= 0)
        if len(probes) == 0:
            raise BadData("a run has no probes; train the probes again")
        if len(free):
            near = nearest(run.loss[:, probes].T, NEIGHBOURS, run.loss[:, free].T).index
            total[free] += (run.suite[probes][near][:, :, None] == np.arange(len(SUITES))).mean(axis=1)
            count[free] += 1
    if not count.all():
        raise BadData(f"{(count == 0).sum()} samples are probes in every run; train the probes on more samples")
    return total / count
