"""The area under the margin against the package `aum`, and the flags against the rule of its paper's code."""

import numpy as np
import pandas as pd
import torch
from services import library

from anomaly_mlflow.cleaning.margin_threshold import below_threshold
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.threshold_samples import ThresholdRun

EPOCHS, N, CLASSES, THRESHOLD = 7, 240, 5, 40


def test_areas_and_flags_are_those_of_aum_and_its_runner(tmp_path):
    calculator = library("aum").AUMCalculator(str(tmp_path))
    rng = np.random.default_rng(0)
    label = rng.integers(0, CLASSES, N)
    threshold = np.arange(N) < THRESHOLD
    label[threshold] = CLASSES
    logits = rng.normal(size=(EPOCHS, N, CLASSES + 1)) + 1.5 * ~threshold[:, None] * np.eye(CLASSES + 1)[label]
    recording = Recording(logits.astype(np.float16), label, np.arange(N), np.ones(EPOCHS))
    for epoch in recording.logits.astype(np.float32):
        calculator.update(torch.from_numpy(epoch), torch.from_numpy(label), list(range(N)))
    calculator.finalize()
    theirs = pd.read_csv(tmp_path / "aum_values.csv").set_index("sample_id")["aum"].loc[range(N)].to_numpy()
    ours = recording.margin.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    flagged = [np.mean(theirs[threshold] > area) > 0.01 for area in theirs]
    assert np.array_equal(below_threshold(ThresholdRun(threshold, ours)), flagged)
    assert 0 < np.sum(flagged) < N
