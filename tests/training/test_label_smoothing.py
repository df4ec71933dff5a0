from dataclasses import replace

import numpy as np
from scipy.special import softmax

from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.recorded import fit_recorded

CONFIG = TrainConfig("convnet", epochs=8, batch_size=16, learning_rate=0.05, dropout=0.0)


def test_a_smoothed_training_is_as_sure_as_its_targets_and_a_plain_one_surer(stripes):
    sure = {}
    for smoothing in (0.0, 0.3):
        model, _ = fit(stripes, replace(CONFIG, label_smoothing=smoothing), seed=0)
        sure[smoothing] = softmax(infer(model, stripes.images)[1], axis=1).max(axis=1).mean()
    assert 0.7 < sure[0.3] < 0.87  # the target of the given label is .8
    assert sure[0.0] > 0.95


def test_a_recorded_training_that_is_done_is_read_and_not_made_again(stripes, tmp_path):
    calls = []
    first = fit_recorded(stripes, CONFIG, seed=0, folder=tmp_path, on_epoch=lambda: calls.append(1))
    second = fit_recorded(stripes, CONFIG, seed=0, folder=tmp_path, on_epoch=lambda: calls.append(1))
    assert len(calls) == CONFIG.epochs
    assert np.array_equal(first[1].logits, second[1].logits)
    assert np.array_equal(first[1].labels, second[1].labels)
    assert np.array_equal(infer(first[0], stripes.images)[1], infer(second[0], stripes.images)[1])
