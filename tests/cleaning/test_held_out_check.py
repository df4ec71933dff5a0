"""A repair counts where models of it foretell held-out given labels better than models of the labels as given."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.cleaning.held_out_check import left_alone, repaired_predictions
from anomaly_mlflow.cleaning.repair import Reason
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.folds import assign_folds
from anomaly_mlflow.training.second_split import cross_validate

SEED = 5


@pytest.fixture(scope="module")
def noisy(module_stripes):
    """120 images of three classes; nearly half of the labels are wrong, in no way that an image could tell."""
    truth = module_stripes.labels
    other = (truth + np.random.default_rng(3).integers(1, 3, 120)) % 3
    wrong = np.random.default_rng(0).random(120) < 0.5
    return replace(module_stripes, labels=np.where(wrong, other, truth)), truth, wrong


def frame_of(given, suggested, aside=False):
    repaired = suggested != given
    told = {"given": given, "suggested": suggested, "repaired": repaired, "set_aside": aside & ~repaired}
    return pd.DataFrame(told).assign(confidence=0.9, reason=np.where(repaired, "", str(Reason.NOT_DOUBTED)))


def settings(samples, batch=32):
    config = configure("convnet", samples.image_shape, "cpu", len(samples), epochs=30, batch_size=batch)
    return {"fold": assign_folds(samples, 2, SEED), "config": config, "seed": SEED}


@pytest.fixture(scope="module")
def given(noisy, tmp_path_factory):
    """What models of the labels as given foretell."""
    samples = noisy[0]
    return cross_validate(samples, **settings(samples), folder=tmp_path_factory.mktemp("given"))[0].argmax(axis=1)


def foretold(samples, frame, folder):
    return repaired_predictions(samples, frame, **settings(samples), folder=folder)


def test_right_repairs_are_confirmed_by_wrong_labels_that_nobody_learnt(noisy, given, tmp_path):
    samples, truth, wrong = noisy
    repaired = foretold(samples, frame_of(samples.labels, truth), tmp_path)
    assert (repaired == samples.labels).mean() > (given == samples.labels).mean()
    assert (repaired == truth).mean() > 0.95
    assert not (repaired == samples.labels)[wrong].any()  # what no image tells, nobody foretells


def test_broken_labels_are_not_confirmed(noisy, given, tmp_path):
    samples, truth, _ = noisy
    broken = np.where(np.random.default_rng(1).random(120) < 0.8, (truth + 1) % 3, samples.labels)
    repaired = foretold(samples, frame_of(samples.labels, broken), tmp_path)
    assert (repaired == samples.labels).mean() < (given == samples.labels).mean()


def test_labels_that_are_set_aside_are_not_learnt(noisy, tmp_path):
    samples, truth, wrong = noisy
    repaired = foretold(samples, frame_of(samples.labels, samples.labels, aside=wrong), tmp_path)
    assert (repaired == truth).mean() > 0.95


def test_with_nothing_repaired_the_models_are_those_of_the_folds_whatever_the_batch(noisy, tmp_path):
    samples, _, _ = noisy
    how, unchanged = settings(samples, batch=100), frame_of(samples.labels, samples.labels)  # a fold leaves 60 images
    logits, _ = cross_validate(samples, **how, folder=tmp_path / "given")
    repaired = repaired_predictions(samples, unchanged, **how, folder=tmp_path / "repaired")
    assert np.array_equal(logits.argmax(axis=1), repaired)


def test_what_is_done_is_not_trained_again(noisy, tmp_path, monkeypatch):
    samples, truth, _ = noisy
    frame = frame_of(samples.labels, truth)
    first = foretold(samples, frame, tmp_path)
    monkeypatch.setattr("anomaly_mlflow.cleaning.held_out_check.fit", None)
    assert np.array_equal(foretold(samples, frame, tmp_path), first)


def test_left_alone_changes_nothing_and_says_what_would_have_been(noisy):
    samples, truth, wrong = noisy
    aside = ~wrong & (np.arange(120) % 7 == 0)
    frame = left_alone(frame_of(samples.labels, truth, aside=aside))
    assert not frame["repaired"].any() and not frame["set_aside"].any()
    assert np.array_equal(frame["reason"] == str(Reason.NOT_CONFIRMED), wrong)
    assert np.array_equal(frame["reason"] == str(Reason.NOT_SET_ASIDE), aside)
    assert np.array_equal(frame["suggested"], truth) and (frame["confidence"] == 0.9).all()
