"""A planted world for cleaners: right labels and uniform flips alone."""

from dataclasses import replace
from functools import cache

import numpy as np
from planted import CLASSES, planted

from anomaly_mlflow.training.threshold_samples import ThresholdRun

ROWS, SHARE, CHECKED = 600, 0.2, 0.2
RUNS = 2


@cache
def world_of_errors(share=SHARE, seed=1):
    """Evidence with everything in it of rows of which this share bears a wrong label, and the true labels."""
    rng = np.random.default_rng(seed)
    wrong = rng.permutation(ROWS) < share * ROWS
    evidence, truth = planted(np.where(wrong, "random_flip", "clean"), rng)
    checked = (truth == evidence.labels) & (rng.random(ROWS) < CHECKED)
    return replace(evidence, threshold_runs=_threshold_runs(evidence, rng), trusted=checked), truth


def _threshold_runs(evidence, rng):
    """Two trainings more; the rows of the extra class have the margin of a label that nothing supports."""
    logits = evidence.recording.logits.astype(np.float64).mean(axis=0)
    turn = rng.permutation(ROWS) // (ROWS // (CLASSES + 1))
    runs = []
    for run in range(RUNS):
        margin = evidence.recording.margin.mean(axis=0) + 0.2 * rng.normal(size=ROWS)
        unsupported = 0.2 * rng.normal(size=ROWS) - logits.max(axis=1)
        runs.append(ThresholdRun(turn == run, np.where(turn == run, unsupported, margin).astype(np.float32)))
    return runs
