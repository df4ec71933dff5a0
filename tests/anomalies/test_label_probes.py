import numpy as np
import pytest

from anomaly_mlflow.anomalies.label_probes import INSTANCE, PROBES, plant_label_probes, support
from anomaly_mlflow.anomalies.similarity import Tables
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadOption

TABLES = Tables({0: (1,), 1: (0,), 2: (3,), 3: (2,)}, {0: (3,), 1: (2,), 2: (1,), 3: (0,)}, "near", "far")
EACH = 40


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    return Samples(
        rng.integers(0, 256, (800, 6, 6, 3), dtype=np.uint8),
        np.arange(800) % 4,
        np.arange(800) + 7,
        ("a", "b", "c", "d"),
    )


def probabilities(samples, own=0.7, following=0.2):
    p = np.full((len(samples), 4), (1 - own - following) / 2)
    rows = np.arange(len(samples))
    p[rows, samples.labels], p[rows, (samples.labels + 1) % 4] = own, following
    return p


def planted(samples, p=None, each=EACH, seed=0):
    return plant_label_probes(samples, probabilities(samples) if p is None else p, TABLES, "noise", each, seed)


def test_every_kind_is_planted_in_the_same_number_and_nothing_else_changes(samples):
    found, kinds = planted(samples)
    assert {kind: (kinds == kind).sum() for kind in PROBES} == dict.fromkeys(PROBES, EACH)
    untouched = kinds == ""
    assert np.array_equal(found.labels[untouched], samples.labels[untouched])
    assert np.array_equal(found.images[kinds != "ood"], samples.images[kinds != "ood"])
    assert (found.images[kinds == "ood"] != samples.images[kinds == "ood"]).any(axis=(1, 2, 3)).all()


def test_label_probes_get_the_label_that_their_kind_says(samples):
    found, kinds = planted(samples)
    given, before = found.labels, samples.labels
    assert (given[kinds == "near_miss"] == before[kinds == "near_miss"] ^ 1).all()
    assert (given[kinds == "gross"] == 3 - before[kinds == "gross"]).all()
    assert (given != before)[np.isin(kinds, ["random_flip", INSTANCE])].all()


def test_instance_dependent_labels_follow_the_models_probabilities_without_the_given_label(samples):
    found, kinds = planted(samples, probabilities(samples, own=0.5, following=0.4), each=150)
    step = (found.labels - samples.labels)[kinds == INSTANCE] % 4
    assert 0.7 < (step == 1).mean() < 0.9  # .4 of the .5 that is left


def test_rows_whose_label_other_models_do_not_support_are_hardly_drawn(samples):
    p, doubted = probabilities(samples), np.arange(800) < 400
    p[doubted] = np.roll(p[doubted], 1, axis=1) * 0.99 + 0.0025
    assert support(p, samples.labels)[doubted].max() < 0.3
    kinds = planted(samples, p)[1]
    assert (kinds[doubted] != "").mean() < 0.5 * (kinds[~doubted] != "").mean()


def test_the_same_seed_plants_the_same_and_another_seed_others(samples):
    one, same, other = planted(samples)[1], planted(samples)[1], planted(samples, seed=1)[1]
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_more_probes_than_rows_end_in_one_line(samples):
    with pytest.raises(BadOption, match="lower probe_share"):
        planted(samples, each=200)
