"""Laws of every injector, over the registry."""

from dataclasses import replace

import numpy as np
import pytest

from anomaly_mlflow.anomalies.difficulty import hard_rows
from anomaly_mlflow.anomalies.inject import ORDER, inject
from anomaly_mlflow.anomalies.injector import INJECTORS, injector
from anomaly_mlflow.anomalies.plan import Plan
from anomaly_mlflow.anomalies.similarity import Tables, class_distance, class_tables
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.sources import load

SHARES = {AnomalyType.NEAR_MISS: 0.1, AnomalyType.GROSS: 0.1, AnomalyType.RANDOM_FLIP: 0.1, AnomalyType.OOD: 0.1}
LABEL_TYPES = [kind for kind in INJECTORS if kind != AnomalyType.OOD]


@pytest.fixture(scope="module")
def host():
    samples = load("digits", subset=400)
    return replace(samples, sample_id=samples.sample_id[::-1] + 7)


@pytest.fixture(scope="module")
def tables(host):
    pixels = host.images.reshape(len(host), -1).astype(float)
    distance = class_distance(pixels, host.labels, host.num_classes)
    two_partners = class_tables(host.classes, distance)
    return Tables(
        near={label: (*other, (label + 1) % 10) for label, other in two_partners.near.items() if label < 7},
        far=two_partners.far,
        near_source="embedding",
        far_source="embedding",
    )


@pytest.fixture(scope="module")
def hard(host):
    return hard_rows(np.random.default_rng(0).normal(size=len(host)), 0.1)


@pytest.fixture(scope="module")
def world(host, tables, hard):
    def run(shares=SHARES, seed=0, **options):
        return inject(host, Plan(shares, tables, hard, seed=seed, **options))

    return run


every_type = pytest.mark.parametrize("kind", list(INJECTORS))


def of(ledger, kind):
    return np.flatnonzero(ledger["anomaly_type"] == kind)


def test_every_type_but_those_that_are_found_has_an_injector():
    found = {AnomalyType.CLEAN, AnomalyType.HARD, AnomalyType.HUMAN_ERROR}
    assert set(INJECTORS) == set(ORDER) == set(AnomalyType) - found


@every_type
def test_the_ledger_lists_the_share_asked_for(world, host, hard, kind):
    _, ledger = world({kind: 0.15})
    assert len(of(ledger, kind)) == 60 and not hard[of(ledger, kind)].any()
    assert np.array_equal(ledger["sample_id"], host.sample_id)
    assert np.array_equal(ledger["anomaly_type"] == AnomalyType.HARD, hard)


@every_type
def test_only_listed_rows_change_and_images_only_for_ood(world, host, kind):
    images, labels, groups = host.images.copy(), host.labels.copy(), host.groups.copy()
    samples, ledger = world({kind: 0.2})
    others = np.setdiff1d(np.arange(len(host)), of(ledger, kind))
    assert np.array_equal(samples.labels[others], host.labels[others])
    changed = (samples.images != host.images).any(axis=(1, 2, 3))
    assert np.array_equal(np.flatnonzero(changed), of(ledger, AnomalyType.OOD))
    assert np.array_equal(np.flatnonzero(samples.groups != host.groups), of(ledger, AnomalyType.OOD))
    assert np.array_equal(samples.sample_id, host.sample_id) and samples.encoding == host.encoding
    assert np.array_equal(images, host.images), "the host itself must stay as it is"
    assert np.array_equal(labels, host.labels) and np.array_equal(groups, host.groups)


@every_type
def test_the_same_seed_gives_the_same_and_another_seed_other_anomalies(world, kind):
    (first, ledger), (again, same), (_, other) = (world(seed=seed) for seed in (4, 4, 5))
    assert ledger.equals(same)
    assert np.array_equal(first.images, again.images) and np.array_equal(first.groups, again.groups)
    assert not np.array_equal(of(ledger, kind), of(other, kind))


@every_type
def test_without_another_type_a_row_keeps_its_target(world, kind):
    _, together = world()
    for absent in set(INJECTORS) - {kind}:
        _, alone = world({**SHARES, absent: 0.0})
        both = np.intersect1d(of(together, kind), of(alone, kind))
        assert len(both) > 20
        assert np.array_equal(together["given_label"][both], alone["given_label"][both])


@every_type
def test_a_larger_share_keeps_the_rows_and_targets_of_a_smaller_one(world, kind):
    (_, small), (_, large) = world({kind: 0.05}), world({kind: 0.2})
    assert set(of(small, kind)) < set(of(large, kind))
    rows = of(small, kind)
    assert np.array_equal(small["given_label"][rows], large["given_label"][rows])


@every_type
def test_labels_stay_in_range_and_the_ledger_tells_the_truth(world, host, kind):
    samples, ledger = world()
    assert samples.labels.min() >= 0 and samples.labels.max() < host.num_classes
    assert np.array_equal(ledger["given_label"], samples.labels)
    rows = of(ledger, kind)
    truth = -1 if kind == AnomalyType.OOD else host.labels[rows]
    assert (ledger["true_label"][rows] == truth).all() and (ledger["severity"][rows] > 0).all()
    assert (ledger["source"][rows] != "").all()
    clean = ledger[ledger["anomaly_type"] == AnomalyType.CLEAN]
    assert (clean["source"] == "").all() and (clean["severity"] == 0).all()


@pytest.mark.parametrize("kind", LABEL_TYPES)
def test_a_label_anomaly_never_gives_the_true_label(world, kind):
    _, ledger = world({kind: 0.3})
    rows = ledger[ledger["anomaly_type"] == kind]
    assert (rows["given_label"] != rows["true_label"]).all()


def test_every_allowed_target_occurs(world, tables):
    for kind, table in [(AnomalyType.NEAR_MISS, tables.near), (AnomalyType.GROSS, tables.far)]:
        _, ledger = world({kind: 0.5})
        rows = ledger[ledger["anomaly_type"] == kind]
        assert set(zip(rows["true_label"], rows["given_label"], strict=True)) == {
            (label, other) for label, others in table.items() for other in others
        }
    _, ledger = world({AnomalyType.RANDOM_FLIP: 0.9})
    steps = (ledger["given_label"] - ledger["true_label"]) % 10
    assert set(steps) == set(range(10)) and steps.value_counts().drop(0).between(20, 65).all()


def test_a_second_injector_of_a_type_is_refused():
    with pytest.raises(ValueError, match="already"):
        injector(AnomalyType.GROSS)(lambda host, rows: None)
