from dataclasses import replace

import numpy as np
import pytest
from anchor_world import anchor_world

from anomaly_mlflow.cleaning import CLEANERS, find_cleaner
from anomaly_mlflow.cleaning.anchor_cleaners import clean_by_anchors
from anomaly_mlflow.cleaning.anchors import AnchorSettings
from anomaly_mlflow.errors import MissingEvidence

NAMES = ("anchors_linear", "anchors_learned", "classifier_argmax")


@pytest.mark.parametrize("name", NAMES)
def test_wrong_labels_are_doubted_hard_rows_repaired_and_easy_ones_left(name):
    evidence, truth, hard = anchor_world()
    cleaned = find_cleaner(name)(evidence, seed=0)
    wrong = evidence.labels != truth
    assert cleaned.trust[wrong].mean() < 0.4 < 0.9 < cleaned.trust[~hard].mean()
    changed = cleaned.labels != evidence.labels
    assert not changed[~hard].any() and changed[wrong].mean() > 0.3
    assert (cleaned.labels == truth)[changed].mean() > 0.9
    assert cleaned.kept[~hard].mean() > 0.9 and not cleaned.kept[changed].any()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_cleaner_says_has_its_types_and_ranges(name):
    evidence, _, _ = anchor_world(easy=40, hard=10)
    cleaned = find_cleaner(name)(evidence, seed=0)
    assert [values.dtype for values in vars(cleaned).values()] == [np.float64, np.bool_, np.int64, np.float64]
    for values in (cleaned.trust, cleaned.confidence):
        assert values.min() >= 0 and values.max() <= 1 and values.shape == evidence.labels.shape


def test_a_lone_class_settles_nothing():
    evidence, _, hard = anchor_world()
    alone = (evidence.labels == 2) & ~hard
    lone = replace(
        evidence,
        sample_id=evidence.sample_id[alone],
        labels=evidence.labels[alone],
        embeddings=evidence.embeddings[alone],
        logits=evidence.logits[alone],
        recording=replace(
            evidence.recording,
            logits=evidence.recording.logits[:, alone],
            labels=evidence.labels[alone],
            sample_id=evidence.sample_id[alone],
        ),
    )
    cleaned = clean_by_anchors(lone, AnchorSettings(), seed=0)
    assert np.array_equal(cleaned.labels, lone.labels)


def test_settings_reach_the_anchors():
    evidence, _, _ = anchor_world()
    few = clean_by_anchors(evidence, AnchorSettings(least_valid=9), seed=0)
    many = clean_by_anchors(evidence, AnchorSettings(quantile=0.0), seed=0)
    assert (few.labels != evidence.labels).sum() < (many.labels != evidence.labels).sum()


def test_all_three_are_called_reconstructions_and_the_baseline_is_no_second_witness_of_the_embedding():
    assert all(CLEANERS[name].reconstruction for name in NAMES)
    assert [CLEANERS[name].mechanism for name in NAMES] == ["embedding", "embedding", "training"]
    with pytest.raises(MissingEvidence, match="cleaner 'anchors_learned' needs head"):
        CLEANERS["anchors_learned"](replace(anchor_world()[0], head=None))
