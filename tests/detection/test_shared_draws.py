import numpy as np
import pytest

from anomaly_mlflow.detection.measures import auroc_of
from anomaly_mlflow.detection.shared_draws import resampled, shared_weights
from anomaly_mlflow.detection.statistics import bootstrap

N = 200
KINDS = np.repeat([0, 1], [150, 50])
ALL = np.ones(N, bool)


def weights(kinds=KINDS, groups=None, shared=ALL, draws=60, **seeds):
    groups = np.arange(len(kinds)) if groups is None else groups
    how = {"seed": 0, "own_seed": 0} | seeds
    return np.concatenate(list(shared_weights(kinds, groups, shared, draws=draws, **how)))


def test_the_rows_of_each_kind_are_as_many_in_every_draw_and_those_of_a_group_weigh_the_same():
    drawn = weights(groups=np.arange(N) // 2)
    assert drawn[:, :150].sum(axis=1) == pytest.approx(np.full(60, 150.0))
    assert drawn[:, 150:].sum(axis=1) == pytest.approx(np.full(60, 50.0))
    assert np.array_equal(drawn[:, ::2], drawn[:, 1::2]) and drawn.min() > 0


def test_an_image_weighs_the_same_in_every_seed_but_for_the_scale_of_its_kind():
    other = np.random.default_rng(3).permutation(KINDS)  # each seed spoils other images
    one, two = weights(own_seed=1), weights(other, own_seed=2)
    both_clean = (KINDS == 0) & (other == 0)
    ratio = two[:, both_clean] / one[:, both_clean]
    assert ratio == pytest.approx(np.repeat(ratio[:, :1], both_clean.sum(), axis=1))
    crossed = other != KINDS
    between = [np.corrcoef(one[:, row], two[:, row])[0, 1] for row in np.flatnonzero(crossed)]
    assert len(between) > 30 and min(between) > 0.8 and not np.array_equal(one, weights(seed=1))


def test_what_was_appended_is_drawn_for_each_seed_by_itself():
    appended = np.arange(N) >= 150
    one, two = (weights(shared=~appended, own_seed=seed, draws=2000) for seed in (1, 2))
    assert np.array_equal(one[:, :150], two[:, :150])
    between = [np.corrcoef(a, b)[0, 1] for a, b in zip(one.T[appended], two.T[appended], strict=True)]
    assert np.abs(between).max() < 0.12


def test_few_draws_at_a_time_are_the_draws_all_at_once(monkeypatch):
    whole = weights(shared=np.arange(N) < 150)
    monkeypatch.setattr("anomaly_mlflow.detection.shared_draws.CELLS", 7 * N)
    assert np.array_equal(whole, weights(shared=np.arange(N) < 150))


def test_one_seed_spreads_as_by_the_ordinary_bootstrap_and_two_that_share_their_images_as_one():
    scores = KINDS + np.random.default_rng(0).normal(size=N)
    measure = auroc_of(scores, KINDS > 0, np.zeros(N, int))
    groups = np.arange(N)
    ordinary = bootstrap(measure, KINDS > 0, groups, draws=2000, seed=0)
    one, two = (resampled(measure, KINDS, groups, ALL, own_seed=seed)[:, 0] for seed in (1, 2))
    assert one.std() == pytest.approx(ordinary.std(), rel=0.1)
    assert ((one + two) / 2).std() == one.std(), "their mean is no surer than each"


def test_a_kind_of_four_sources_has_no_draws():
    measure = auroc_of(np.arange(N), KINDS > 0, np.zeros(N, int))
    few = np.where(KINDS > 0, 1000 + np.arange(N) % 4, np.arange(N))
    assert np.isnan(resampled(measure, KINDS, few, ALL, draws=10)).all()
    assert resampled(measure, KINDS, few, ALL, draws=10).shape == (10, 1)
